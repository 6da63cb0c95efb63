# What has to hold after every command: a table of rules, each with its sentence. The witness is the journal of the clouds, which no
# command can change. A rule that is broken ends the story: {rule, tag: which case of it, why}.
package Rules;
use strict;
use warnings;
use Exporter qw(import);
use Torture qw($json);
use Model qw(wanted find_resource);
our @EXPORT_OK = qw(check broken %SENTENCE);

our %SENTENCE = (
    ends       => 'A command ends, in time and with an exit code that is documented.',
    honest     => 'Exit 0 means that no step of the run is pending, failed or skipped, and that the run is done.',
    record     => 'After exit 0, or a run that is done, the record names exactly the objects that the clouds hold, other people\'s apart.',
    counts     => 'The summary counts what the journals show: created, replaced and deleted.',
    foreign    => 'An object that somebody else made is never changed, deleted, or recorded without being asked for.',
    twice      => 'No object is recorded at two addresses.',
    unplanned  => 'What is recorded is deleted only when the plan that was shown right before names it.',
    rollback   => 'An automatic rollback deletes only what the run made.',
    unwanted   => 'Nothing is made that the template does not want now, also not to settle what an earlier run left.',
    kept       => 'An object that is as the template wants it, or will be, is kept: it has the same id afterwards.',
    provider   => 'What lives is never taken as deleted outside, forgotten or made again, whatever becomes of its provider block.',
    held       => 'A creation that fails for ever does not hold the rest: some command gives it up, and destroy ends.',
    stuck      => 'Once the clouds are well, a bounded number of commands brings the environment to its end.',
    settled    => 'After an apply with exit 0 the plan is empty.',
    world      => 'After an apply with exit 0 the clouds hold what the template says: names, properties, references.',
    left       => 'Destroy leaves nothing but other people\'s objects, and no record.',
    order      => 'Destroy takes dependants before what they need, without being refused on the way.',
    audit      => 'The event log verifies.',
);

sub broken {
    my ($s, $t, $rule, $tag, $why) = @_;
    die "no rule '$rule'\n" unless $SENTENCE{$rule};
    $why =~ s/\b(net|sub|srv|vol)-[0-9a-f]{12}\b/$s->{live}{$&} || $s->{dead}{$&} ? ($s->{live}{$&} || $s->{dead}{$&})->{name} . " ($&)" : $&/ge;
    die { rule => $rule, tag => $tag, why => $why };
}

my @RULES = (    # in the order in which they are looked at: the worst first
    [foreign => \&foreign], [twice => \&twice], [provider => \&provider], [rollback => \&rollback], [unplanned => \&unplanned], [ends => \&ends],
    [honest => \&honest], [kept => \&kept], [unwanted => \&unwanted], [record => \&record], [counts => \&counts],
);

sub check {
    my ($s, $t) = @_;
    $s->{rules} += @RULES;
    $_->[1]->($s, $t) for @RULES;
}

# ---- helpers ----

sub verb { my ($t) = @_; return $t->{args} =~ /^(\w+)/ ? $1 : '' }
sub done { my ($t) = @_; return $t->{code} == 0 && verb($t) ne 'plan' }
sub effects { my ($t, $effect) = @_; return grep { $_->{effect} eq $effect } @{ $t->{journal} } }
sub collection { my ($row) = @_; return $row->{type} =~ /^cloud\.(\w+)/ ? $1 : undef }
sub rows { my ($record) = @_; return grep { collection($_) } @{ $record->{rows} } }
sub shown { my ($s, @ids) = @_; return join ', ', @ids }
sub disturbed { my ($t) = @_; return grep { $t->{op}{$_} } qw(faults kill token) }

# The run that the command made, or undef; and the number of them.
sub new_run {
    my ($t) = @_;
    my ($was, $is) = map { ($_->{status} // {})->{id} // 'r0' } $t->{before}, $t->{after};
    return $was eq $is ? undef : $t->{after}{status}, ($is =~ /(\d+)/)[0] - ($was =~ /(\d+)/)[0];
}

sub rolled_back {    # when the automatic way back began, or undef
    my ($t) = @_;
    my ($run) = new_run($t);
    return $run && $run->{kind} eq 'rollback' && verb($t) ne 'rollback' ? $run->{started} : undef;
}

# Is there a rollback to be ended before anything else?
sub way_back_due { my ($t) = @_; my $run = $t->{before}{status}; return $run && ($run->{status} eq 'rollback' || ($run->{kind} eq 'rollback' && $run->{status} ne 'done')) }

# ---- the rules ----

sub ends {
    my ($s, $t) = @_;
    broken($s, $t, 'ends', 'hangs', "`tutti $t->{args}` did not end") if $t->{code} == -1;
    return if $t->{code} == 265 && $t->{op}{kill};
    broken($s, $t, 'ends', 'crash', "`tutti $t->{args}` ended with $t->{code}") unless grep { $t->{code} == $_ } 0 .. 5, 130;
}

sub honest {
    my ($s, $t) = @_;
    my ($run) = new_run($t);
    return unless done($t) && $run;
    my @open = grep { $_->{status} !~ /^(done|standby|cancelled)$/ && !($_->{status} eq 'skipped' && $_->{action} =~ /replace/) } @{ $run->{steps} };    # skipped: it was not necessary after all
    broken($s, $t, 'honest', $open[0]{status}, "exit 0, and " . @open . " of " . @{ $run->{steps} } . " steps are $open[0]{status}, as $open[0]{action} of $open[0]{address}") if @open;
    broken($s, $t, 'honest', 'run', "exit 0, and the run is $run->{status}") if $run->{status} ne 'done';
}

sub record {
    my ($s, $t) = @_;
    my $run = $t->{after}{status};
    return unless done($t) || ($run && $run->{status} eq 'done');    # else a run is open, and `status` says so
    my %recorded = map { ($_->{id} => $_->{address}) } rows($t->{after});
    my @orphans = grep { !$recorded{$_} && !$s->{foreign}{$_} && !$s->{abandoned}{$_} } sort keys %{ $s->{live} };
    my @ghosts  = done($t) ? grep { !$s->{live}{$_} } sort keys %recorded : ();
    my $how = join '', map { " after $_" } grep { $s->{answered}{$_} } qw(skip abort retry);
    broken($s, $t, 'record', "orphan$how", 'nobody\'s: ' . shown($s, @orphans)) if @orphans;
    broken($s, $t, 'record', 'ghost', 'recorded, and not there: ' . shown($s, @ghosts)) if @ghosts;
}

# Creations that an earlier run began, and made, and that this one finished: a step of this run, so its summary counts them.
sub taken_up {
    my ($t) = @_;
    my %made    = map { ($_->{id} => 1) } effects($t, 'created');
    my %was     = map { ($_->{id} => 1) } rows($t->{before});
    my %creates = map { ($_->{address} => 1) } grep { $_->{status} eq 'done' && $_->{action} =~ /^(create|replace)$/ } @{ $t->{after}{status}{steps} };
    return grep { !$made{ $_->{id} } && !$was{ $_->{id} } && $creates{ $_->{address} } } rows($t->{after});
}

sub counts {
    my ($s, $t) = @_;
    return if verb($t) !~ /^(apply|destroy)$/ || disturbed($t) || $t->{code} > 1 || rolled_back($t);
    my $before = $t->{before}{status};
    return if $before && ($before->{status} // "") ne "done";
    my ($run, $runs) = new_run($t);
    return if !$run || $runs != 1;
    my %step;
    for (grep { $_->{status} eq 'done' } @{ $run->{steps} }) { $step{ $_->{type} =~ /^cloud\./ ? 'cloud' : 'other' }{ $_->{action} }++ }
    my $sum = sub { my $n = 0; $n += $step{ $_[0] }{$_} // 0 for @_[1 .. $#_]; return $n };
    my $created = effects($t, 'created') + taken_up($t);
    my $deleted = effects($t, 'deleted');
    my $summary = $run->{summary} // {};
    my $says = ($summary->{create} // 0) + ($summary->{replace} // 0) - $sum->('other', 'create', 'replace');
    # A replacement counts once as a whole; one whose deletion alone happened must show as well.
    my $gone = ($summary->{delete} // 0) + ($summary->{replace} // 0) + ($summary->{deleted} // 0) + ($summary->{replace_delete} // 0) - $sum->('other', 'delete');
    if ($t->{code} == 0) { broken($s, $t, 'counts', 'created', "the summary counts $says made, the journals $created") if $says != $created }
    broken($s, $t, 'counts', 'deleted', "the summary counts $gone deleted, the journals $deleted") if $gone < $deleted;
}

sub foreign {
    my ($s, $t) = @_;
    for my $e (@{ $t->{journal} }) {
        broken($s, $t, 'foreign', 'touched', "$e->{id}, which somebody else made, was $e->{effect} by `tutti $t->{args}`") if $s->{foreign}{ $e->{id} };
    }
    for my $row (rows($t->{after})) {
        broken($s, $t, 'foreign', 'recorded', "$row->{id}, which somebody else made, is recorded as $row->{address}") if $s->{foreign}{ $row->{id} };
    }
}

sub twice {
    my ($s, $t) = @_;
    my %at;
    for my $row (rows($t->{after})) {
        broken($s, $t, 'twice', 'recorded', "$row->{id} is recorded as $at{$row->{id}} and $row->{address}") if $at{ $row->{id} };
        $at{ $row->{id} } = $row->{address};
    }
}

sub unplanned {
    my ($s, $t) = @_;
    return if verb($t) eq 'destroy' || !$s->{named} || way_back_due($t);
    my %was = map { ($_->{id} => $_) } rows($t->{before});
    my $since = rolled_back($t);
    for my $e (effects($t, 'deleted')) {
        my $row = $was{ $e->{id} } // next;
        next if $s->{named}{ $row->{address} } || ($since && $e->{time} ge $since);
        next if $t->{named} ? 0 : ($t->{live_before}{ $e->{id} }{step} // 0) >= ($s->{named_step} // 0);    # of this very run
        my ($w) = grep { $_->{address} eq $row->{address} } wanted($t->{model});
        my $tag = $w && ($w->{of}{keys}{replace} // '') eq 'create-first' ? 'create-first' : 'other';
        broken($s, $t, 'unplanned', $tag, "`tutti $t->{args}` deleted $e->{id} of $row->{address}, which the plan did not name");
    }
}

sub rollback {
    my ($s, $t) = @_;
    my $since = rolled_back($t) // return;
    my %was = map { ($_->{id} => $_) } rows($t->{before});
    for my $e (effects($t, 'deleted')) {
        my $row = $was{ $e->{id} } // next;
        next if $e->{time} lt $since || $t->{op}{kill};
        my $tag = $s->{named} && $s->{named}{ $row->{address} } ? 'set aside' : 'in use';
        broken($s, $t, 'rollback', $tag, "the rollback deleted $e->{id} of $row->{address}, which was there before the run");
    }
}

sub unwanted {
    my ($s, $t) = @_;
    return if verb($t) !~ /^(apply|destroy)$/ || rolled_back($t) || way_back_due($t);
    my %wanted = verb($t) eq 'destroy' ? () : map { ("$_->{type} $_->{name}" => 1) } grep { $_->{is_cloud} } wanted($t->{model});
    for my $e (effects($t, 'created')) {
        next if $wanted{"$e->{type} $e->{name}"};
        broken($s, $t, 'unwanted', verb($t), "`tutti $t->{args}` made $e->{type} $e->{name}, which the template does not want");
    }
}

# As it is recorded, is it what is wanted, as far as that cannot be changed?
sub suits {
    my ($row, $w, $ids) = @_;
    return if 'cloud.' . $w->{type} ne $row->{type};
    for my $p (@{ $Model::FIXED{ $w->{type} } }) {
        my $want = exists $w->{refs}{$p} ? $ids->{ $w->{refs}{$p} } : $w->{props}{$p};
        return if !defined $want || !defined $row->{properties}{$p} || $row->{properties}{$p} ne $want;
    }
    return $w->{type} ne 'volume' || $row->{properties}{size_gb} <= $w->{props}{size_gb};
}

sub kept {
    my ($s, $t) = @_;
    return unless done($t) && verb($t) eq 'apply';
    my %ids = map { ($_->{address} => $_->{id}) } grep { !$_->{deposed} } rows($t->{after});
    for my $w (grep { $_->{is_cloud} && defined $_->{cloud} } wanted($t->{model})) {
        my @suit = grep { $_->{address} eq $w->{address} && $t->{live_before}{ $_->{id} } && $t->{live_before}{ $_->{id} }{cloud} == $w->{cloud} && suits($_, $w, \%ids) } rows($t->{before});
        next if !@suit || grep { $_->{id} eq ($ids{ $w->{address} } // '') } @suit;
        my $keys = $w->{of}{keys} // {};
        my ($why) = map { $_->{reason} // () } grep { $_->{address} eq $w->{address} } @{ ($t->{plan} // {})->{steps} // [] };
        my $tag = ($why // '') =~ /creation failed/ ? 'creation failed' : (grep { ref eq 'HASH' } values %{ $w->{of}{props} }) ? 'known later'
            : ($keys->{replace} // '') eq 'create-first' ? 'create-first' : 'other';
        broken($s, $t, 'kept', $tag, "$w->{address} was $suit[0]{id}, which is as the template wants it, and is " . ($ids{ $w->{address} } // 'nothing') . ' now');
    }
}

# Provider blocks: what lives is not "deleted outside", does not leave the record, and is not made again in another cloud.
sub provider {
    my ($s, $t) = @_;
    my %recorded = map { ($_->{address} => $_->{id}) } grep { !$_->{deposed} } rows($t->{before});
    for my $step (map { @{ $_->{steps} // [] } } grep { defined } $t->{plan}, verb($t) eq 'plan' && $t->{code} == 0 ? $t->{events}[0] : undef) {
        my $id = $recorded{ $step->{address} } // next;
        next unless $t->{live_before}{$id} && ($step->{reason} // '') =~ /deleted outside/;
        broken($s, $t, 'provider', 'plan', "$step->{address} ($id) lives, and the plan says that it was deleted outside");
    }
    my %after = map { ($_->{id} => 1) } rows($t->{after});
    for my $row (rows($t->{before})) {
        next if $after{ $row->{id} } || !$s->{live}{ $row->{id} };
        my $tag = grep({ $s->{edited}{$_} } qw(block unmodule cloud)) ? 'forgotten' : 'forgotten without need';
        broken($s, $t, 'provider', $tag, "$row->{address} ($row->{id}) lives, and left the record");
    }
    for my $e (effects($t, 'created')) {
        my ($twin) = grep { $_->{name} eq $e->{name} && $_->{type} eq $e->{type} && $_->{cloud} != $e->{cloud} } map { $t->{live_before}{$_} } grep { !$s->{foreign}{$_} && !$s->{abandoned}{$_} } keys %{ $t->{live_before} };
        broken($s, $t, 'provider', 'again', "$e->{name} was made again in another cloud, and lives in the one where it was") if $twin;
    }
}

# ---- in the end ----

# The lists of the clouds against the template.
sub check_world {
    my ($s, $call) = @_;
    my %there;
    for my $c (0, 1) {
        for my $t (qw(network subnet server volume)) {
            for my $o (@{ $call->($c, 'GET', "/v1/${t}s") }) { $there{ $o->{id} } = { %$o, type => $t, cloud => $c } unless $s->{foreign}{ $o->{id} } || $s->{abandoned}{ $o->{id} } }
        }
    }
    my $text = sub { my ($type, $cloud, $props) = @_; return "$type in cloud $cloud: " . $json->encode($props) };
    my (%want, %have);
    for my $w (grep { $_->{is_cloud} } wanted($s->{m})) {
        my %props = (%{ $w->{props} }, map { my $a = $w->{refs}{$_}; ($_ => (grep { $_->{address} eq $a } wanted($s->{m}))[0]{name}) } keys %{ $w->{refs} });
        $want{ $text->($w->{type}, $w->{cloud}, { map { ($_ => "$props{$_}") } grep { !ref $props{$_} } keys %props }) }++;
    }
    for my $o (values %there) {
        my %props = map { ($_ => $there{ $o->{$_} // '' } ? $there{ $o->{$_} }{name} : $o->{$_}) } grep { exists $o->{$_} } qw(name cidr network_id subnet_id size image size_gb);
        $have{ $text->($o->{type}, $o->{cloud}, { map { ($_ => "$props{$_}") } keys %props }) }++;
    }
    for (sort keys %want) { broken($s, undef, 'world', 'missing', "there is no $_; there is " . join '; ', sort keys %have) if ($have{$_} // 0) < $want{$_} }
    for (sort keys %have) { broken($s, undef, 'world', 'too many', "there is $_, which nobody wants") if ($want{$_} // 0) < $have{$_} }
}

sub check_destroyed {
    my ($s, $t, $log) = @_;
    my @left = grep { !$s->{foreign}{$_} && !$s->{abandoned}{$_} } sort keys %{ $s->{live} };
    broken($s, $t, 'left', 'objects', 'left over: ' . shown($s, @left)) if @left;
    broken($s, $t, 'left', 'record', 'still recorded: ' . join ', ', map { $_->{address} } rows($t->{after})) if rows($t->{after});
    my $how = $s->{edited}{rename} || $s->{edited}{module} ? 'moved' : $s->{edited}{after} ? 'after' : 'plain';    # what may have led to it
    my @refused = grep { ($_->{event} // '') eq 'step-retry' && ($_->{message} // '') =~ /409|in use|needs? it|used by/ } @{ $t->{events} };
    broken($s, $t, 'order', $how, "the cloud refused to delete $refused[0]{address}: $refused[0]{message}") if @refused;
    my %when;    # of names: a place in the log of commands, or in a cloud's journal
    my @lines = split /\n/, $log;
    for (0 .. $#lines) { $when{"command $1"} = [9, $_] if $lines[$_] =~ /^gone:(.*)/ }
    my %last;
    for (@{ $t->{journal} }) { my $n = "$_->{type} $_->{name}"; $when{$n} = [$_->{cloud}, $_->{seq}] }
    my @wanted = wanted($s->{m});
    my %of;
    push @{ $of{ $_->{of}{name} } }, $_->{is_cloud} ? "$_->{type} $_->{name}" : "command $_->{of}{log}" for grep { $_->{is_cloud} || $_->{of}{log} } @wanted;
    for my $e (Model::edges($s->{m})) {
        for my $d (@{ $of{ $e->[0] } // [] }) {
            for my $n (@{ $of{ $e->[1] } // [] }) {
                my ($x, $y) = @when{ $d, $n };
                broken($s, $t, 'order', $how, "$n was taken before $d, which needs it") if $x && $y && $x->[0] == $y->[0] && $x->[1] > $y->[1];
            }
        }
    }
}

1;
