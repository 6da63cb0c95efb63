# Plays a story: makes its environment, does what it says, and after each command compares what was said and recorded with the journals of
# two practice clouds (Rules.pm). In the end the clouds are well again, and the environment must be brought to its end and destroyed.
package Play;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use Time::HiRes qw(sleep time);
use lib dirname(abs_path(__FILE__)), dirname(abs_path(__FILE__)) . '/../torture';
use Torture;
use Model qw(clone files wanted edit find_resource address);
use Clouds qw(at look clouds_behave clouds_reset api_manifest cloud_url);
use Rules qw(check broken);
our @EXPORT_OK = qw(play);
use constant { ROUNDS => 8, COMMAND_MAX => 40 };

# ---- files and commands; all of it is noted as a script ----

sub note { my ($s, @lines) = @_; push @{ $s->{script} }, @lines }

sub write_text { open my $f, '>', $_[0] or die "$_[0]: $!\n"; print $f $_[1]; close $f }

sub files_write {
    my ($s) = @_;
    my $files = files($s->{m});
    for my $name (sort keys %$files) {
        my $text = $files->{$name};
        next if ($s->{texts}{$name} // '') eq $text;
        $s->{texts}{$name} = $text;
        note($s, "write $name <<'E'\n${text}E");
        $text =~ s/\@(LOCALHOST)?([AB])\@/my $url = cloud_url($2 eq 'B' ? 1 : 0); $1 ? $url =~ s{127\.0\.0\.1}{localhost}r : $url/ge;
        write_text("$s->{folder}/$name", $text);
    }
    push @{ $s->{meant}{ $_->{address} } }, $_ for grep { $_->{is_cloud} } wanted($s->{m});
}

# Exit code (256 + signal; -1: it did not end), standard output, standard error.
sub tutti {
    my ($s, $env, @args) = @_;
    my $pid = fork // die;
    if (!$pid) {
        chdir $s->{folder} or exit 127;
        $ENV{$_} = $env->{$_} for keys %$env;
        $ENV{STORY} = $s->{folder};
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', 'stdout';
        open STDERR, '>', 'stderr';
        exec $tutti, @args or exit 127;
    }
    my $code = code_of($pid, COMMAND_MAX);
    return ($code, slurp("$s->{folder}/stdout"), slurp("$s->{folder}/stderr"));
}

sub asked { my ($s, @args) = @_; my ($code, $out) = tutti($s, {}, @args, '--json'); return $code == 0 && $out ? eval { $json->decode($out) } : undef }

sub record {
    my ($s) = @_;
    my $state = asked($s, 'state', 'export', 'env.yaml');
    my $status = asked($s, 'status', 'env.yaml');
    return { rows => $state ? $state->{resources} : [], status => $status && $status->{run} };
}

# One command that may have effects, observed. $op: do, and what happens meanwhile (faults, kill, token, fail).
sub observe {
    my ($s, $op, @args) = @_;
    $s->{step}++;
    my $t = { op => $op, args => "@args", before => $s->{now}, live_before => { %{ $s->{live} } }, model => clone($s->{m}) };
    $t->{plan} = plan_before($s, @args);
    $t->{named} = $t->{plan} ? named($t->{plan}) : undef;
    @{$s}{qw(named named_step)} = ($t->{named} // {}, $s->{step}) if $args[0] =~ /^(apply|destroy|rollback)$/;
    my %env;
    $env{TUTTI_FAULT}   = "kill:$op->{kill}" if $op->{kill};
    $env{TORTURE_TOKEN} = 'revoked'          if $op->{token};
    clouds_behave(faults => $op->{faults}) if $op->{faults};
    note($s, 'fault ' . "'" . $json->encode($op->{faults}) . "'") if $op->{faults};
    write_text("$s->{folder}/fail", '') if $op->{fail};
    note($s, 'touch fail') if $op->{fail};
    @{$t}{qw(code out err)} = tutti($s, \%env, @args);
    note($s, join('', map { "$_=$env{$_} " } sort keys %env) . join(' ', 'tutti', map { /[^\w.:=\/-]/ ? "'$_'" : $_ } @args) . "    # exit $t->{code}");
    my @said = errors($t);
    note($s, "#   $_") for @said > 2 ? @said[0, 1] : @said;
    if ($op->{fail}) { unlink "$s->{folder}/fail"; note($s, 'rm fail') }
    if ($op->{faults}) { clouds_behave(faults => []); note($s, "fault '[]'") }
    sleep 0.03 if $t->{code} > 255;    # a request may still be on its way
    $t->{events}  = [map { eval { $json->decode($_) } // () } split /\n/, $t->{out}];
    $t->{journal} = look($s);
    $t->{after}   = $s->{now} = record($s);
    check($s, $t);
    return $t;
}

sub plan_before {
    my ($s, $verb, @args) = @_;
    return unless $verb =~ /^(apply|destroy|rollback)$/;
    my @plain = grep { !/^--(yes|json)$/ } @args;
    return asked($s, 'plan', @plain) if $verb eq 'apply';
    return asked($s, 'plan', @plain, '--destroy') if $verb eq 'destroy';
    return asked($s, 'rollback', @plain, '--plan');
}

# What a plan says will be deleted or replaced: addresses; and those of which it says nothing yet.
sub named {
    my ($plan) = @_;
    my %named;
    $named{ $_->{address} } = 1 for grep { $_->{action} =~ /delete|replace/ } @{ $plan->{steps} };
    return { %named, map { ($_->{address} => 1) } @{ $plan->{deferred} } };
}

# ---- what a story does ----

my %DO = (
    plan     => sub { my ($s, $op) = @_; files_write($s); observe($s, $op, 'plan', 'env.yaml', '--json', set_args($op)) },
    apply    => sub { my ($s, $op) = @_; files_write($s); observe($s, $op, 'apply', 'env.yaml', '--yes', $s->{story}{json} ? '--json' : (), set_args($op)) },    # without changes, only --json makes a run
    destroy  => sub { my ($s, $op) = @_; files_write($s); observe($s, $op, 'destroy', 'env.yaml', '--yes', '--json', set_args($op)) },
    resume   => sub { my ($s, $op) = @_; files_write($s); observe($s, $op, 'resume', 'env.yaml', '--yes', '--json') },
    rollback => \&do_rollback,
    answer   => sub { my ($s, $op) = @_; answer($s, $op->{word}) },
    edit     => \&do_edit,
    foreign  => \&do_foreign,
    cloud    => sub { my ($s, $op) = @_; clouds_behave(%{ $op->{set} }); note($s, "control '" . $json->encode($op->{set}) . "'") },
    wayout   => \&do_wayout,
    sleep    => sub { my ($s, $op) = @_; sleep $op->{seconds}; note($s, "sleep $op->{seconds}") },
);

sub set_args { my ($op) = @_; return ((defined $op->{set} ? ('--set', "v=$op->{set}") : ()), map { ('--accept-provider', $_) } @{ $op->{accept} // [] }) }

sub do_rollback {
    my ($s, $op) = @_;
    my $runs = asked($s, 'runs', 'env.yaml') // return;
    my ($run) = grep { $_->{kind} =~ /apply/ && $_->{status} eq 'done' } @$runs[$op->{back} // 1 .. $#$runs];
    return unless $run;
    files_write($s);
    observe($s, $op, 'rollback', 'env.yaml', $run->{id}, '--yes', '--json');
}

sub do_edit {
    my ($s, $op) = @_;
    my $from = $op->{what} eq 'module' ? "$op->{from}/" : $op->{what} eq 'rename' ? address_of([wanted($s->{m})], $op->{of}) : undef;
    $s->{left} = { name => $op->{from}, module => clone($s->{m}{modules}{ $op->{from} } // {}),
        resources => clone([grep { ($_->{in} // '') eq $op->{from} } @{ $s->{m}{resources} }]) } if $op->{what} eq 'unmodule' && $s->{m}{modules}{ $op->{from} };
    my $was = clone($s->{m});
    edit($s->{m}, $op) or return;
    $s->{edited}{ $op->{what} } = 1;
    $s->{renamed}{ $op->{to} } = $op->{block} if $op->{what} eq 'block' && $op->{to};
    if ($op->{mv} && defined $from && !move($s, $op, $from)) { $s->{m} = $was }    # no is said while a run waits; a person would put it off
    files_write($s);
}

# The records follow: as a whole, where that is drawn and the program can, or one by one. False when the program refuses.
sub move {
    my ($s, $op, $from) = @_;
    my $to = $op->{what} eq 'module' ? "$op->{to}/" : address_of([wanted($s->{m})], $op->{to}) // return 1;
    my $mv = sub {
        my ($code) = tutti($s, {}, 'state', 'mv', 'env.yaml', @_);
        note($s, "tutti state mv env.yaml '$_[0]' '$_[1]'    # exit $code");
        return $code == 0;
    };
    my @of = grep { $op->{what} eq 'module' ? index($_->{address}, $from) == 0 : $_->{address} =~ /^\Q$from\E(?:\[|\z)/ } @{ $s->{now}{rows} };
    my $ok = !@of || ($op->{whole} && $mv->(map { s{/$}{}r } $from, $to));
    if (!$ok) {
        for my $row (@of) { $ok = $mv->($row->{address}, $to . substr $row->{address}, length $from) || $ok }
    }
    $s->{now} = record($s);
    return $ok;
}

sub address_of { my ($wanted, $name) = @_; my ($w) = grep { $_->{of}{name} eq $name } @$wanted; return $w && address($w->{of}) }

sub foreign_make {
    my ($s, $c, $type, $body) = @_;
    my $made = eval { at($c, 'POST', "/v1/${type}s", $json->encode($body)) } // return;
    note($s, 'call ' . ($c ? '$B' : '$A') . " POST /v1/${type}s '" . $json->encode($body) . "'    # somebody else's: $made->{id}");
    $s->{foreign}{ $made->{id} } = 1;
    look($s);
    return $made->{id};
}

# Somebody else's object, of the name that a resource wants or of another.
sub do_foreign {
    my ($s, $op) = @_;
    my %body = $op->{type} eq 'network' ? (cidr => '172.16.0.0/16') : (size_gb => 1);
    foreign_make($s, $op->{cloud}, $op->{type}, { name => $op->{name}, %body });
}

# ---- answers ----

sub waiting { my ($s) = @_; my $run = $s->{now}{status} // return; return grep { $_->{status} eq 'waiting' } @{ $run->{gates} } }

# What exists, is nobody else's, and is recorded nowhere.
sub unrecorded {
    my ($s) = @_;
    my %recorded = map { ($_->{id} => 1) } @{ $s->{now}{rows} };
    return grep { !$recorded{$_} && !$s->{foreign}{$_} && !$s->{abandoned}{$_} } sort keys %{ $s->{live} };
}

# As a person would who has looked at the cloud: an object that was made is adopted; of what was not, `word` if that may be said; what the
# template does not want any more is forgotten.
sub answer {
    my ($s, $word) = @_;
    for my $g (waiting($s)) {
        my @choices = @{ ref $g->{details} eq 'HASH' ? $g->{details}{choices} // [] : [] };
        @choices = map { /^(\w+)/ ? $1 : () } map { ref ? $_->{word} // $_->{answer} // '' : $_ } @choices;
        my @args;
        if ($g->{name} =~ /^(.*):failed/) {
            my $address = $1;
            my ($w) = grep { $_->{address} eq $address } wanted($s->{m});
            my @nobodys = unrecorded($s);
            my @meant = $w ? $w : @{ $s->{meant}{$address} // [] };
            my ($id) = grep { my $o = $s->{live}{$_}; grep { $o->{name} eq $_->{name} && $o->{type} eq $_->{type} } @meant } @nobodys;
            ($id) = @nobodys if !$w && !$id && @nobodys == 1;
            my %may = map { $_ => 1 } @choices;
            my $say = $may{adopt} && $id ? "adopt $id" : defined $word && $may{$word} ? $word : !$w && $may{forget} ? 'forget' : 'retry';
            @args = ('--answer', $say);
            $s->{answered}{$say =~ /^(\w+)/ ? $1 : ''} = 1;
        } elsif (($word // '') eq 'reject') {
            @args = ('--reject');
        }
        my ($code, undef, $err) = tutti($s, {}, 'approve', 'env.yaml', $g->{name}, @args, '--as', 'tester');
        note($s, "tutti approve env.yaml '$g->{name}' " . join(' ', map { / / ? "'$_'" : $_ } @args) . " --as tester    # exit $code");
        note($s, "#   $err") if $code;
    }
    $s->{now} = record($s);
}

# ---- the end ----

# Under faults that last: by some command the rest must be free of what cannot be made.
sub do_wayout {
    my ($s, $op) = @_;
    my $t;
    my @lasting = (faults => $op->{faults}, token => $op->{token});
    for my $round (1, 2) {
        $t = $DO{destroy}->($s, { do => 'destroy', @lasting });
        return if $t->{code} == 0;
        if (waiting($s)) { answer($s, 'forget'); $t = $DO{resume}->($s, { do => 'resume', @lasting }) }
        give_up($s, $t);
    }
    $t = $DO{destroy}->($s, { do => 'destroy', @lasting });
    broken($s, $t, 'held', $s->{answered}{skip} || $s->{answered}{abort} ? 'answered' : 'lasting', last_error($t)) if $t->{code} != 0 && !$op->{token};
}

# `state rm` of what failed and is not recorded: where the program knows that as the end of an open operation.
sub give_up {
    my ($s, $t) = @_;
    my %recorded = map { ($_->{address} => 1) } @{ $s->{now}{rows} };
    my %failed;
    for my $e (@{ $t->{events} }) { $failed{ $_->{address} } = 1 for grep { defined $_->{address} } $e, @{ $e->{problems} // [] } }
    $failed{$_} = 1 for map { /^error: ([^\s:]+): / ? $1 : () } errors($t);
    my $ended = 0;
    for my $a (sort grep { !$recorded{$_} } keys %failed) {
        my ($code) = tutti($s, {}, 'state', 'rm', 'env.yaml', $a);
        note($s, "tutti state rm env.yaml '$a'    # exit $code");
        next if $code;
        $ended++;
        $s->{abandoned}{$_} = 1 for unrecorded($s);
    }
    $s->{now} = record($s);
    return $ended;
}

# What went wrong, in words: on standard error, or after the steps.
sub errors { my ($t) = @_; return grep { /^error: / } split /\n/, "$t->{err}\n$t->{out}" }
sub last_error { my ($t) = @_; return (errors($t))[0] // '' }

# The clouds are well, the template is valid: apply until it is done, as a person would.
sub converge {
    my ($s) = @_;
    my ($t, $bad, @accept) = (undef, 0);
    for my $round (1 .. ROUNDS) {
        if (waiting($s)) { answer($s); $t = $DO{resume}->($s, { do => 'resume' }); next if $t->{code} == 0 || $t->{code} == 3 }
        $t = $DO{apply}->($s, { do => 'apply', final => 1, accept => \@accept });
        return $t if $t->{code} == 0;
        next if $t->{code} == 3;
        if ($t->{code} == 4 && @accept < 4 && only_words($s) && (my ($block) = join("\n", errors($t)) =~ /--accept-provider[ =]'?([\w.\/-]+)/)) { push @accept, $block; next }
        $bad++;
        $DO{resume}->($s, { do => 'resume' }) if $bad == 2 && $t->{code} == 1;
        give_up($s, $t) if $bad >= 3;
        last if $bad >= 5;
    }
    broken($s, $t, 'stuck', why_stuck($s, $t), last_error($t));
}

# Do provider blocks name the same places as ever, some in other words? Else nobody should accept them.
sub only_words { my ($s) = @_; return grep { $_->{alias} } values %{ $s->{m}{blocks} }, values %{ $s->{m}{modules} } }

sub why_stuck {
    my ($s, $t) = @_;
    my $error = last_error($t);
    return 'answered' if $error =~ /(skip|abort): answered/;
    return "HTTP $1"  if $error =~ /HTTP (\d+)/;
    return 'many match' if $error =~ /objects match/;
    return "exit $t->{code}";
}

# What makes the template invalid is taken back, and what belongs to somebody else and has a name that is wanted leaves.
sub mend {
    my ($s) = @_;
    clouds_behave(faults => [], visible_after => '0ms', latency => '0ms');
    for my $r (@{ $s->{m}{resources} }) { Model::without($s->{m}, $r->{name}) if $r->{bad} }
    # Where names are unique, a new one cannot be made before the old one of the same name is gone.
    if ($s->{story}{unique}) { delete $_->{keys}{replace} for @{ $s->{m}{resources} } }
    my %wanted = map { ("$_->{type} $_->{name}" => 1) } grep { $_->{is_cloud} } wanted($s->{m});
    my $in_the_way = $s->{story}{unique} || $s->{story}{api} eq 'names';
    for my $id ($in_the_way ? sort keys %{ $s->{foreign} } : ()) {
        my $o = $s->{live}{$id} // next;
        next unless $wanted{"$o->{type} $o->{name}"};
        at($o->{cloud}, 'DELETE', "/v1/$o->{type}s/$id");
        note($s, 'call ' . ($o->{cloud} ? '$B' : '$A') . " DELETE /v1/$o->{type}s/$id    # its owner removes it");
        delete $s->{foreign}{$id};
    }
    if (my $left = $s->{left}) {    # a nested template comes back, with its block
        $s->{m}{modules}{ $left->{name} } = $left->{module};
        push @{ $s->{m}{resources} }, grep { !find_resource($s->{m}, $_->{name}) } @{ $left->{resources} };
    }
    for my $to (sort keys %{ $s->{renamed} // {} }) { edit($s->{m}, { what => 'block', block => $to, to => $s->{renamed}{$to} }) }
    for my $b (sort keys %{ $s->{blocks_made} }) {
        my $now = $s->{m}{blocks}{$b};
        $s->{m}{blocks}{$b} = clone($s->{blocks_made}{$b}) if !$now || $now->{cloud} != $s->{blocks_made}{$b}{cloud};
    }
    for my $n (sort keys %{ $s->{modules_made} }) { $s->{m}{modules}{$n}{cloud} = $s->{modules_made}{$n}{cloud} if $s->{m}{modules}{$n} }
    look($s);
}

sub the_end {
    my ($s) = @_;
    mend($s);
    converge($s);
    my ($code, $out) = tutti($s, {}, 'plan', 'env.yaml', '--detailed-exitcode', '--json');
    note($s, "tutti plan env.yaml --detailed-exitcode    # exit $code");
    broken($s, undef, 'settled', 'plan', "the plan after the apply has exit code $code: $out") if $code != 0;
    Rules::check_world($s, sub { at(@_) });
    my $t;
    for my $round (1 .. 3) {
        $t = $DO{destroy}->($s, { do => 'destroy', final => 1 });
        last if $t->{code} != 3;
        answer($s);
    }
    broken($s, $t, 'stuck', 'destroy', last_error($t)) if $t->{code} != 0;
    Rules::check_destroyed($s, $t, slurp("$s->{folder}/log"));
    ($code) = tutti($s, {}, 'audit', 'env.yaml');
    broken($s, undef, 'audit', 'audit', "audit ends with $code") if $code > 1 || $code == 1;
}

# ---- a story ----

sub header {
    my ($story) = @_;
    return (
        "# $story->{kind}, seed $story->{seed}, API $story->{api}" . ($story->{limit} ? ", limits {parallel: $story->{limit}}" : ''),
        '# Two practice clouds listen at $A and $B; write puts these places for @A@ and @B@ into a file; fault and control tell both clouds.',
    );
}

# {rule, tag, why, script}, or undef when all rules held.
sub play {
    my ($story) = @_;
    my $s = { story => $story, folder => "$work/story.$$", m => clone($story->{model}), live => {}, dead => {}, foreign => {}, abandoned => {}, step => 0,
        now => { rows => [] }, script => [header($story)], answered => {}, edited => {} };
    remove_tree($s->{folder});
    make_path("$s->{folder}/providers/cloud");
    write_text("$s->{folder}/providers/cloud/provider.yaml", api_manifest($story));
    clouds_reset($s, $story);
    note($s, "control '" . $json->encode({ name_unique => $story->{unique} ? 1 : 0, %{ $story->{cloud} // {} } }) . "'");
    $s->{blocks_made}  = clone($story->{model}{blocks}  // {});
    $s->{modules_made} = clone($story->{model}{modules} // {});
    my $ok = eval {
        for my $op (@{ $story->{ops} }) { $DO{ $op->{do} }->($s, $op) }
        the_end($s);
        1;
    };
    return { rules => $s->{rules}, script => join("\n", @{ $s->{script} }) . "\n" } if $ok;
    die $@ unless ref $@;
    my $f = $@;
    $f->{rules}  = $s->{rules};
    $f->{script} = join("\n", @{ $s->{script} }, "# $f->{rule}/$f->{tag}: $f->{why}") . "\n";
    return $f;
}

1;
