# Draws stories: an environment and what is done with it, as data that can be taken apart (Shrink.pm). Each kind is a situation that has
# gone wrong somewhere, with everything drawn that may vary; `mixed` draws all of it at once. The same seed gives the same story.
package Kinds;
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
our @EXPORT_OK = qw(story %KINDS);

sub pick   { $_[rand @_] }
sub chance { rand() < $_[0] }
sub one_in { int rand($_[0]) == 0 }
sub upto   { 1 + int rand $_[0] }

# ---- parts ----

my $serial;
sub name { my ($what) = @_; return $what . ++$serial }

# What is inside of another is where that is.
sub part { my ($type, $in, $props, $refs, %more) = @_; return { name => $props->{name}, type => $type, props => $props, refs => $refs, keys => {}, (map { $in->{$_} ? ($_ => $in->{$_}) : () } qw(in provider)), %more } }

sub network { my (%more) = @_; my $n = name('net'); return part('network', {}, { name => name('n'), cidr => '10.0.0.0/16' }, {}, name => $n, %more) }
sub subnet { my ($net, %more) = @_; my $n = name('sub'); return part('subnet', $net, { name => $n, cidr => '10.0.' . $serial % 250 . '.0/24' }, { network_id => $net->{name} }, %more) }
sub server { my ($sub, %more) = @_; return part('server', $sub, { name => name('srv'), size => 'small', image => 'd1' }, { subnet_id => $sub->{name} }, %more) }
sub volume { my (%more) = @_; return part('volume', {}, { name => name('vol'), size_gb => 10 * upto(3) }, {}, %more) }

sub command {    # leaves a line in a log when it runs and when it is taken back
    my (%more) = @_;
    my $n = name('cmd');
    return { name => $n, type => 'command', log => $n, props => { run => "echo made:$n >>\$STORY/log", on_delete => "echo gone:$n >>\$STORY/log" }, refs => {}, keys => {}, %more };
}
sub value { my (%more) = @_; return { name => name('val'), type => 'value', props => { input => upto(9) }, refs => {}, keys => {}, %more } }

sub some {    # one to three objects to have beside
    my @all = pick([network()], [volume()], [volume(), command()], [value(), volume()], [map { my $n = network(); ($n, subnet($n)) } 1]);
    return @{ $all[0] };
}

sub model { my (@resources) = @_; return { resources => \@resources, modules => {}, blocks => {} } }
sub apply { my (%more) = @_; return { do => 'apply', %more } }
sub edit  { my ($what, $of, %more) = @_; return { do => 'edit', what => $what, ($of ? (of => $of->{name}) : ()), %more } }

# Faults of creations. `doubtful`: it is not known what became of the request.
my @DOUBTFUL = qw(500 500-after reset-after reset-before hang truncate 503);
sub fault { my ($type, $do, $times, %more) = @_; return { match => "POST /v1/${type}s", do => $do, times => $times, %more } }

# A new object whose creation fails in a doubtful way: with retries off, so that it stays open.
sub fragile { my ($r) = @_; $r->{keys}{retry} = { attempts => 1, backoff => '5ms' }; return $r }

sub fresh { my (%more) = @_; return one_in(2) ? volume(%more) : network(%more) }

sub beside { return one_in(4) ? pick({ do => 'plan' }, { do => 'resume' }, { do => 'foreign', cloud => 0, type => pick('volume', 'network'), name => name('other') }, apply()) : () }

# ---- kinds: [weight, sub that gives api, unique, model, ops …] ----

sub question {    # a person says that a creation which failed is to be left
    my @base = some();
    my $new  = fragile(fresh());
    $new->{keys}{on_failure} = 'ask' if one_in(2);
    my $do   = pick(@DOUBTFUL);
    my $word = pick('skip', 'abort', 'skip', 'forget', 'retry');
    return (model => model(@base), ops => [
        apply(), beside(), edit('add', undef, resource => $new), apply(faults => [fault($new->{type}, $do, 1)], ask => 1), { do => 'answer', word => $word },
        { do => 'resume' }, beside(), one_in(2) ? edit('remove', $new) : (), one_in(3) ? { do => 'destroy' } : ()]);
}

sub lasting {     # a creation that fails each time
    my @base = some();
    my $new  = fresh();
    my @always = (fault($new->{type}, pick(500, 500, 'reset-before', 503), 5000));
    return (model => model(@base), ops => [
        apply(), edit('add', undef, resource => $new), apply(faults => \@always), one_in(2) ? edit('remove', $new) : (), beside(), { do => 'wayout', faults => \@always }]);
}

sub refused {     # what is repeated to settle it is refused for good
    my @base = some();
    my $new  = fragile(volume());
    if (one_in(2)) {    # the cloud forgets its keys, and the name is taken: by the very object
        return (api => 'sandbox', unique => 1, model => model(@base), ops => [
            apply(), edit('add', undef, resource => $new), apply(faults => [fault('volume', pick('reset-after', '500-after', 'truncate', 'hang'), 1)]),
            { do => 'cloud', set => { idempotency => \0 } }, beside(), one_in(2) ? edit('remove', $new) : (), apply()]);
    }
    $new->{props}{size_gb} = -5;
    $new->{bad} = 1;
    my @dies = one_in(3) ? (kill => 4 + upto(14)) : (faults => [fault('volume', pick(500, 503, 'reset-before'), 1)]);
    return (api => pick('sandbox', 'sandbox', 'keys', 'labels'), model => model(@base), ops => [
        apply(), edit('add', undef, resource => $new), apply(@dies), beside(), one_in(2) ? edit('remove', $new) : (), apply()]);
}

sub taken {       # something of that name is there already, and is somebody else's or another resource's
    my @base = some();
    my $new  = fresh();
    $new = fragile($new) if one_in(2);
    my @dies = one_in(4) ? (kill => 4 + upto(14)) : (faults => [fault($new->{type}, pick(500, 503, 'reset-before'), 1)]);
    if (one_in(3)) {
        my $same = fresh(type => $new->{type}, props => { %{ $new->{props} } }, bad => 1);
        return (api => 'names', unique => 1, model => model(@base), ops => [
            apply(), edit('add', undef, resource => $new), edit('add', undef, resource => $same), apply(@dies), beside(), apply()]);
    }
    return (api => pick('names', 'names', 'labels', 'sandbox'), unique => 1, model => model(@base), ops => [
        apply(), { do => 'foreign', cloud => 0, type => $new->{type}, name => $new->{props}{name} }, edit('add', undef, resource => $new), apply(@dies), beside(),
        one_in(2) ? { do => 'resume' } : apply(), one_in(2) ? { do => 'destroy' } : ()]);
}

sub stack { my (%server) = @_; my $n = network(); my $s = subnet($n); return ($n, $s, server($s, %server)) }

sub createfirst { # a replacement that makes first fails, and is taken back
    my @r = stack(keys => { replace => 'create-first', retry => { attempts => 1, backoff => '5ms' } });
    my $srv = $r[2];
    my $fails = one_in(4) ? { kill => 4 + upto(20) } : { faults => [fault('server', pick(@DOUBTFUL), 1)] };
    return (unique => 0, model => model(@r, one_in(2) ? volume() : ()), ops => [
        apply(), edit('set', $srv, prop => 'image', value => 'd2'), apply(%$fails), beside(),
        one_in(3) ? edit('key', $srv, key => 'when', value => \0) : edit('set', $srv, prop => 'image', value => 'd1'), apply()]);
}

sub abandoned {   # a creation that failed, and is not wanted any more
    my @base = some();
    my $new  = fragile(fresh());
    return (model => model(@base), ops => [
        apply(), edit('add', undef, resource => $new), apply(one_in(3) ? (kill => 4 + upto(14)) : (faults => [fault($new->{type}, pick(@DOUBTFUL), 1)])), beside(),
        one_in(2) ? edit('remove', $new) : edit('key', $new, key => 'when', value => \0), pick(apply(), { do => 'destroy' })]);
}

sub wayback {     # a check fails, and the run goes back by itself
    my @r = stack(keys => one_in(3) ? {} : { replace => 'create-first' });
    my $vol = volume(props => { name => name('vol'), size_gb => 10 }, one_in(2) ? (keys => { count => upto(2) }) : ());
    my @on = one_in(2) ? ($r[2]) : ($vol);
    @on = ($r[2], $vol) if one_in(4);
    my $check = { name => name('check'), type => 'command', props => { run => 'test ! -e "$STORY/fail"', triggers => 'a' }, refs => {}, keys => { after => [map { $_->{name} } @on], on_failure => 'rollback' } };
    return (unique => 0, model => model(@r, $vol, $check), ops => [
        apply(), (map { $_->{type} eq 'server' ? edit('set', $_, prop => 'image', value => 'd2') : edit('set', $_, prop => 'size_gb', value => 30) } @on),
        edit('set', $check, prop => 'triggers', value => 'b'), apply(fail => 1), beside(), one_in(2) ? { do => 'rollback', back => 0 } : ()]);
}

sub block {       # a provider block leaves, or is another one
    my %in;
    my @ops;
    my %story = (blocks => {}, modules => {});
    my $how   = pick('gone', 'renamed', 'endpoint', 'default', 'nested', 'nested endpoint', 'alias', 'nested alias');
    if    ($how =~ /^nested/) { $story{modules}{part} = { own => 1, cloud => 1 }; %in = (in => 'part') }
    elsif ($how eq 'default') { $story{blocks}{cloud} = { cloud => 1 } }
    else                      { $story{blocks}{east} = { cloud => 1 }; %in = (provider => 'east') }
    my $net = network(%in);
    my @r = ($net, one_in(2) ? subnet($net) : (), one_in(3) ? volume(%in) : ());
    if    ($how eq 'gone')     { push @ops, edit('block', undef, block => 'east') }
    elsif ($how eq 'renamed')  { push @ops, edit('block', undef, block => 'east', to => 'west') }
    elsif ($how eq 'endpoint') { push @ops, edit('block', undef, block => 'east', value => { cloud => 0 }) }
    elsif ($how eq 'default')  { push @ops, edit('block', undef, block => 'cloud'), one_in(2) ? edit('remove', $net) : () }
    elsif ($how eq 'alias')    { push @ops, edit('block', undef, block => 'east', value => { cloud => 1, alias => 1 }) }
    elsif ($how eq 'nested alias') { push @ops, edit('cloud', undef, of_module => 'part', value => { alias => 1 }) }
    elsif ($how eq 'nested')   { push @ops, edit('unmodule', undef, from => 'part') }
    else                       { push @ops, edit('cloud', undef, of_module => 'part', value => { cloud => 0 }) }
    push @ops, pick({ do => 'plan' }, apply(), apply(), { do => 'destroy' }, { do => 'resume' }), pick(apply(), { do => 'destroy' });
    return (model => { resources => [@r, one_in(2) ? command() : ()], %story }, ops => [apply(), @ops]);
}

sub same {        # a value that is known later turns out as it was
    my $calc = one_in(2)
        ? { name => name('calc'), type => 'command', props => { run => 'echo d1', triggers => '${param.v}' }, refs => {}, keys => {} }
        : { name => name('calc'), type => 'value', props => { input => { expr => '${param.v == "0" ? "d2" : "d1"}', is => 'd1' } }, refs => {}, keys => {} };
    my $attribute = $calc->{type} eq 'command' ? 'stdout' : 'output';
    my @r = stack(keys => one_in(2) ? { replace => 'create-first' } : {});
    $r[2]{props}{image} = { expr => "\${$calc->{name}.$attribute}", is => 'd1', of => $calc->{name} };
    return (unique => 0, model => model($calc, @r), ops => [apply(), beside(), apply(set => 2 + upto(5)), beside(), apply(set => 9)]);
}

sub order {       # what depends on what, after a move and after a new `after`
    my ($net, $vol) = (network(), volume());
    my $sub = subnet($net);
    my @c = (command(), command(), command());
    $c[$_]{props}{on_delete} = 'sleep ' . $_ / 10 . "; $c[$_]{props}{on_delete}" for 1, 2;    # whoever does not wait for it is first
    $c[2]{keys}{after} = [$c[1]{name}];
    my @edits = (
        edit('rename', $net, to => name('moved'), mv => 1, whole => int rand 2), edit('rename', $c[1], to => name('moved'), mv => 1, whole => int rand 2),
        edit('after', $c[1], to => $c[0]{name}), edit('after', $sub, to => $c[0]{name}), edit('after', $vol, to => $sub->{name}));
    my $m = model($net, $sub, $vol, @c);
    if (one_in(3)) {
        $m->{modules}{part} = { cloud => 0 };
        $_->{in} = 'part' for $net, $sub, @c[1, 2];
        $c[0]{keys}{after} = ['part'];
        $c[$_]{props}{on_delete} =~ s/^sleep [.0-9]+; // for 1, 2;
        $c[0]{props}{on_delete} = "sleep 0.3; $c[0]{props}{on_delete}";
        @edits = (edit('module', undef, from => 'part', to => 'other', mv => 1, whole => int rand 2));
    }
    return (model => $m, ops => [apply(), (map { one_in(2) ? $_ : () } @edits), pick(@edits), beside(), apply()]);
}

sub slow {        # an object is made, and it takes longer than is waited for
    my $new = fresh(keys => { timeout => { create => '120ms' } });
    return (cloud => { latency => '250ms' }, model => model($new, one_in(2) ? command() : ()), ops => [
        apply(), one_in(2) ? { do => 'plan' } : (), { do => 'sleep', seconds => 0.2 }, apply(), one_in(2) ? apply() : ()]);
}

sub two {         # two nested templates, one provider, two clouds, and a limit lower than what is to be done
    my $limit = upto(3);
    my %m = (modules => { a => { own => 1, cloud => 0 }, b => { own => 1, cloud => 1 } }, blocks => {});
    if (one_in(3)) { $m{modules}{$_}{parallel} = $limit for 'a', 'b' }
    my @r = map { volume(in => $_, keys => { count => 2 + upto(8) }) } 'a', 'b';
    push @r, network(in => 'a') if one_in(2);
    return (api => pick('sandbox', 'keys', 'labels'), limit => $m{modules}{a}{parallel} ? 0 : $limit, cloud => { latency => pick('0ms', '5ms-30ms') }, model => { %m, resources => \@r }, ops => [
        apply(), (map { edit('key', $_, key => 'count', value => upto(14)) } @r[0, 1]), apply(),
        (one_in(2) ? (edit('set', $r[0], prop => 'size_gb', value => 50), apply()) : ()), beside()]);
}

sub gates {       # questions that are answered, rejected, left, and outlived by deaths
    my $gate = { name => name('gate'), type => 'gate', props => { message => 'go on?' }, refs => {}, keys => {} };
    my @r = stack(keys => { replace => pick('create-first', 'delete-first'), after => [$gate->{name}] });
    my $dies = sub { one_in(2) ? (kill => upto(40)) : () };
    return (unique => 0, model => model($gate, @r, some()), ops => [
        apply(), { do => 'answer', word => pick('approve', 'approve', 'reject') }, { do => 'resume', $dies->() }, beside(), edit('set', $r[2], prop => 'image', value => 'd2'),
        apply($dies->()), { do => 'answer', word => pick('approve', 'reject') }, pick({ do => 'resume', $dies->() }, apply($dies->()), { do => 'destroy', $dies->() })]);
}

sub deaths {      # the program dies at any point of making, changing and taking away
    my @r = stack(keys => one_in(2) ? { replace => 'create-first' } : {});
    my $vol = volume(keys => { count => upto(3) });
    my $dies = sub { (kill => 2 + upto(50)) };
    return (model => model(@r, $vol, one_in(2) ? command() : ()), cloud => { latency => pick('0ms', '5ms-30ms') }, unique => 0, ops => [
        apply($dies->()), one_in(2) ? { do => 'resume', $dies->() } : apply(), edit('set', $r[2], prop => 'image', value => 'd2'), edit('key', $vol, key => 'count', value => int rand 5),
        apply($dies->()), pick({ do => 'resume' }, apply(), { do => 'destroy', $dies->() }, { do => 'rollback', back => 0 }), beside()]);
}

sub summary {     # a replacement behind a change that the cloud refuses
    my @r = stack(keys => one_in(2) ? { replace => 'create-first' } : {});
    my $vol = volume();
    my $bad = edit('set', $r[1], prop => 'cidr', value => '11.0.0.0/24');
    return (unique => 0, model => model(@r, $vol), ops => [
        apply(), $bad, edit('set', $r[2], prop => 'image', value => 'd2'), apply(), edit('set', $r[1], prop => 'cidr', value => $r[1]{props}{cidr}), apply()]);
}

# Everything at once.
sub mixed {
    my %m = (modules => {}, blocks => {});
    $m{modules}{part}  = { own => one_in(2), cloud => 0 } if one_in(2);
    $m{modules}{other} = { own => 1, cloud => 1, ($m{modules}{part} && one_in(2) ? (after => ['part']) : ()) } if one_in(2);
    $m{blocks}{east}   = { cloud => 1 } if one_in(3);
    my @in = ([], [], (map { [in => $_] } sort keys %{ $m{modules} }), (map { [provider => $_] } sort keys %{ $m{blocks} }));
    my @r;
    for (1 .. 2 + int rand 3) {
        my @where = @{ pick(@in) };
        my $r = pick(sub { volume(@where) }, sub { command() }, sub { value() }, sub { network(@where) }, sub { network(@where) })->();
        push @r, $r;
        next unless $r->{type} eq 'network' && chance(0.7);
        my $sub = subnet($r);
        push @r, $sub;
        push @r, server($sub) if chance(0.7);
    }
    for my $r (@r) { vary($r) }
    for (1 .. 2) {
        my ($a, $b) = sort { $a <=> $b } map { int rand @r } 1, 2;
        next if $a == $b || ($r[$a]{in} // '') ne ($r[$b]{in} // '') || $r[$a]{type} eq 'gate';
        $r[$b]{keys}{after} = [$r[$a]{name}];
    }
    if (one_in(3)) {
        my $g = { name => name('gate'), type => 'gate', props => { message => 'go on?' }, refs => {}, keys => {} };
        my ($t) = grep { !$_->{in} && !$_->{keys}{after} } reverse @r;
        if ($t) { $t->{keys}{after} = [$g->{name}]; push @r, $g }
    }
    my @ops = (one_in(4) ? () : apply());
    push @ops, mixed_op(\@r, \%m) for 1 .. 3 + int rand 7;
    return (unique => one_in(3) ? 1 : 0, limit => one_in(3) ? upto(3) : 0, cloud => { latency => pick('0ms', '0ms-20ms'), visible_after => pick('0ms', '0ms', '60ms') },
        model => { %m, resources => \@r }, ops => \@ops);
}

sub vary {
    my ($r) = @_;
    my $cloud = $r->{type} =~ /^(network|subnet|server|volume)$/;
    $r->{keys}{count}      = int rand 4 if $r->{type} =~ /^(server|volume)$/ && one_in(3);
    $r->{keys}{replace}    = 'create-first' if $r->{type} eq 'server' && one_in(2);
    $r->{keys}{on_failure} = pick('ask', 'rollback', 'stop-run') if one_in(5);
    $r->{keys}{retry}      = { attempts => 1, backoff => '5ms' } if $cloud && one_in(3);
    return $r;
}

sub mixed_fault {
    my $do = pick(@DOUBTFUL, qw(429));
    return { match => pick('POST /v1/*', 'POST /v1/*', 'PATCH /v1/*', 'DELETE /v1/*', 'GET /v1/*', '* /v1/*'), do => $do, times => upto(3), skip => int rand 3 };
}

sub mixed_edit {
    my ($r, $m) = @_;
    my $x = pick(@$r);
    my ($type) = $x->{type};
    return pick(
        sub { $type eq 'server' ? edit('set', $x, prop => 'image', value => pick('d1', 'd2', 'd3')) : $type eq 'volume' ? edit('set', $x, prop => 'size_gb', value => 10 * upto(5)) : edit('key', $x, key => 'when', value => \int rand 2) },
        sub { $x->{props}{name} ? edit('set', $x, prop => 'name', value => name('renamed')) : edit('remove', $x) },
        sub { defined $x->{keys}{count} ? edit('key', $x, key => 'count', value => int rand 5) : edit('key', $x, key => 'when', value => \int rand 2) },
        sub { edit('remove', $x) },
        sub { edit('add', undef, resource => vary(pick(volume(), network(), command()))) },
        sub { edit('rename', $x, to => name('moved'), mv => 1, whole => int rand 2) },
        sub { %{ $m->{modules} } ? edit('module', undef, from => (sort keys %{ $m->{modules} })[0], to => name('mod'), mv => 1, whole => int rand 2) : edit('remove', $x) },
        sub { my $y = pick(grep { $_->{name} ne $x->{name} } @$r); $y && index($y->{name}, 'gate') && !Model::reaches($r, $y, $x) ? edit('after', $x, to => $y->{name}) : edit('remove', $x) },
    )->();
}

# Does $x need $y, in the end?
sub mixed_op {
    my ($r, $m) = @_;
    my $meanwhile = sub { my $x = rand; return $x < 0.25 ? (faults => [map { mixed_fault() } 1 .. upto(2)]) : $x < 0.4 ? (kill => upto(60)) : $x < 0.45 ? (token => 1) : () };
    my $x = rand;
    return mixed_edit($r, $m), apply($meanwhile->()) if $x < 0.5;
    return apply($meanwhile->(), one_in(3) ? (set => upto(4)) : ()) if $x < 0.6;
    return { do => 'resume', $meanwhile->() } if $x < 0.68;
    return { do => 'answer', word => pick('skip', 'abort', 'retry', 'forget', 'reject', undef) }, { do => 'resume', $meanwhile->() } if $x < 0.78;
    return { do => 'destroy', $meanwhile->() } if $x < 0.84;
    return { do => 'rollback', back => int rand 2, $meanwhile->() } if $x < 0.9;
    return { do => 'plan' } if $x < 0.93;
    my $named = pick(grep { $_->{props}{name} && $_->{type} =~ /^(network|volume)$/ } @$r);
    return { do => 'foreign', cloud => 0, type => $named && one_in(2) ? $named->{type} : 'volume', name => $named && one_in(2) ? $named->{props}{name} : name('other') };
}

our %KINDS = (    # weight, how a story is drawn
    question => [2, \&question], lasting => [2, \&lasting], refused => [2, \&refused], taken => [2, \&taken], createfirst => [2, \&createfirst], abandoned => [1, \&abandoned],
    wayback => [2, \&wayback], block => [2, \&block], same => [2, \&same], order => [2, \&order], slow => [1, \&slow], two => [2, \&two], summary => [1, \&summary],
    gates => [1, \&gates], deaths => [2, \&deaths],
    mixed => [6, \&mixed],
);

sub story {
    my ($seed, $number, @only) = @_;
    srand hex substr md5_hex("$seed.$number"), 0, 8;    # neighbours among seeds would begin alike
    $serial = 0;
    my @names = @only ? @only : map { ($_) x $KINDS{$_}[0] } sort keys %KINDS;
    my $kind = pick(@names);
    return { kind => $kind, seed => "$seed.$number", api => pick('sandbox', 'sandbox', 'keys', 'labels', 'names'), unique => one_in(2) ? 1 : 0, limit => 0, json => one_in(2) ? 1 : 0, cloud => {}, $KINDS{$kind}[1]->() };
}

1;
