# Makes a story that broke a rule smaller, as long as it breaks the same rule in the same way: commands, resources, faults and keys are
# taken away one by one and the rest is played afresh, until nothing more can go or the time is up.
package Shrink;
use strict;
use warnings;
use Exporter qw(import);
use Time::HiRes qw(time);
use Torture qw($json);
use Model qw(clone without);
use Play qw(play);
our @EXPORT_OK = qw(shrink);

# What could go, each as a sub that takes it out of a copy; commands from the end, as what comes after the fault matters least.
sub candidates {
    my ($story) = @_;
    my @c;
    for my $i (reverse 0 .. $#{ $story->{ops} }) {
        push @c, sub { splice @{ $_[0]{ops} }, $i, 1 };
    }
    for my $r (@{ $story->{model}{resources} }) {
        my $name = $r->{name};
        push @c, sub { without($_[0]{model}, $name) };
    }
    for my $i (0 .. $#{ $story->{ops} }) {
        my $op = $story->{ops}[$i];
        push @c, map { my $k = $_; sub { delete $_[0]{ops}[$i]{$k} } } grep { defined $op->{$_} } qw(kill token fail);
        for my $f (0 .. $#{ $op->{faults} // [] }) { push @c, sub { splice @{ $_[0]{ops}[$i]{faults} }, $f, 1; delete $_[0]{ops}[$i]{faults} unless @{ $_[0]{ops}[$i]{faults} } } }
    }
    for my $i (0 .. $#{ $story->{model}{resources} }) {
        my $r = $story->{model}{resources}[$i];
        for my $k (sort keys %{ $r->{keys} }) { push @c, sub { delete $_[0]{model}{resources}[$i]{keys}{$k} } }
    }
    for my $m (sort keys %{ $story->{model}{modules} }) { push @c, sub { delete $_[0]{model}{modules}{$m}{after} } if $story->{model}{modules}{$m}{after} }
    my %used = map { (($_->{in} // '') => 1) } @{ $story->{model}{resources} }, map { $_->{resource} // () } @{ $story->{ops} };
    for my $m (grep { !$used{$_} } sort keys %{ $story->{model}{modules} }) { push @c, sub { delete $_[0]{model}{modules}{$m} } }
    push @c, sub { $_[0]{limit} = 0 } if $story->{limit};
    push @c, sub { $_[0]{cloud} = {} } if %{ $story->{cloud} // {} };
    return @c;
}

sub shrink {
    my ($story, $finding, $seconds) = @_;
    my $end = time + $seconds;
    my ($best, $found, $trials) = (clone($story), $finding, 0);
    ROUND: while ($seconds > 0) {
        my $smaller = 0;
        my $i = 0;
        while (1) {
            my @c = candidates($best);
            last if $i >= @c;
            last ROUND if time > $end;
            my $try = clone($best);
            $c[$i]->($try);
            my $f = eval { play($try) };
            $trials++;
            if ($f && $f->{rule} && $f->{rule} eq $finding->{rule} && $f->{tag} eq $finding->{tag}) { ($best, $found, $smaller) = ($try, $f, 1) }
            else { $i++ }
        }
        last unless $smaller;
    }
    return { %$found, story => $best, trials => $trials };
}

1;
