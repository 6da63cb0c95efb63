# An environment as data: resources that can be taken away one by one, edits of them, the files that they are written as, and what a
# cloud shall hold for them. A story (Kinds.pm) is such an environment and what is done with it (Play.pm).
#
#     resource   {name, type, in: nested template, provider: block, props, refs: {property: resource}, keys: {count, replace, after, …}}
#                A property may be {expr, is, of}: an expression, the value that it has, and the resource that gives it.
#     modules    {name: {cloud: 0|1, own: has a provider block of its own, after: [modules]}}
#     blocks     {name: {cloud: 0|1}}: provider blocks of the environment. `cloud` is the one that the variables do not name either.
package Model;
use strict;
use warnings;
use Exporter qw(import);
use JSON::PP;
our @EXPORT_OK = qw(clone files wanted edit find_resource without address);
my $json = JSON::PP->new->canonical->allow_nonref;

sub clone { $json->decode($json->encode($_[0])) }

my %TYPES = (network => 'cloud.network', subnet => 'cloud.subnet', server => 'cloud.server', volume => 'cloud.volume',
    command => 'exec.command', value => 'value', gate => 'gate');
# What a change of needs a new object; `+`: smaller needs a new one.
our %FIXED = (network => [], subnet => ['network_id'], server => ['subnet_id', 'image'], volume => []);

sub is_cloud { return scalar $TYPES{ $_[0]{type} } =~ /^cloud/ }

sub find_resource { my ($m, $name) = @_; return (grep { $_->{name} eq $name } @{ $m->{resources} })[0] }

sub address { my ($r) = @_; return ($r->{in} ? "$r->{in}/" : '') . $r->{name} }

# ---- what it wants ----

sub cloud_of {    # 0 or 1, or undef where the block is not there
    my ($m, $r) = @_;
    if ($r->{provider}) { my $b = $m->{blocks}{ $r->{provider} }; return $b ? $b->{cloud} : undef }
    if ($r->{in}) { my $o = $m->{modules}{ $r->{in} }; return $o->{cloud} if $o->{own} }
    return $m->{blocks}{cloud} ? $m->{blocks}{cloud}{cloud} : 0;
}

sub instances { my ($r) = @_; return () if defined $r->{keys}{when} && !$r->{keys}{when}; return defined $r->{keys}{count} ? (0 .. $r->{keys}{count} - 1) : (undef) }

# A list of {address, type, name, cloud, props, refs: {property: address}} of objects, commands, and values.
# Whether `x` is `y`, or stands on it.
sub reaches {
    my ($r, $x, $y) = @_;
    return 1 if $x->{name} eq $y->{name};
    my %by = map { ($_->{name} => $_) } @$r;
    return grep { $by{$_} && reaches($r, $by{$_}, $y) } values %{ $x->{refs} }, @{ $x->{keys}{after} // [] };
}

sub wanted {
    my ($m) = @_;
    my @all;
    for my $r (@{ $m->{resources} }) {
        next if $r->{type} eq 'gate';
        for my $i (instances($r)) {
            my %props = map { my $v = $r->{props}{$_}; ($_ => ref $v eq 'HASH' && exists $v->{is} ? $v->{is} : $v) } keys %{ $r->{props} };
            $props{name} .= "-$i" if defined $i && defined $props{name};
            my %refs = map { my $t = find_resource($m, $r->{refs}{$_}); ($_ => $t ? address($t) : '') } keys %{ $r->{refs} // {} };
            push @all, { address => address($r) . (defined $i ? "[$i]" : ''), of => $r, type => $r->{type}, name => $props{name}, props => \%props,
                refs => \%refs, cloud => cloud_of($m, $r), is_cloud => is_cloud($r) };
        }
    }
    return @all;
}

# The resources that `after: NAME` means: of a nested template, all.
sub members { my ($m, $name) = @_; return $m->{modules}{$name} ? map { $_->{name} } grep { ($_->{in} // '') eq $name } @{ $m->{resources} } : $name }

# Pairs [dependant, needed] of resource names, by references, expressions and `after`.
sub edges {
    my ($m) = @_;
    my @pairs;
    for my $r (@{ $m->{resources} }) {
        push @pairs, map { [$r->{name}, $_] } values %{ $r->{refs} // {} }, map { members($m, $_) } @{ $r->{keys}{after} // [] };
        push @pairs, map { ref $_ eq 'HASH' && $_->{of} ? [$r->{name}, $_->{of}] : () } values %{ $r->{props} };
        my $module = $m->{modules}{ $r->{in} // '' } // next;
        push @pairs, map { [$r->{name}, $_] } map { members($m, $_) } @{ $module->{after} // [] };
    }
    return @pairs;
}

# Names of what refers to one of these, or to what does.
sub needing {
    my ($m, @names) = @_;
    my %gone = map { $_ => 1 } @names;
    my $hard = sub { my ($r) = @_; return grep { $gone{$_} } values %{ $r->{refs} // {} }, map { ref eq 'HASH' ? $_->{of} // () : () } values %{ $r->{props} } };
    for (1 .. @{ $m->{resources} }) {
        for my $r (@{ $m->{resources} }) { $gone{ $r->{name} } = 1 if $hard->($r) }
    }
    delete @gone{@names};
    return sort keys %gone;
}

# The same without some resources, and without all that needs them.
sub without {
    my ($m, @names) = @_;
    my %gone = map { $_ => 1 } @names, needing($m, @names);
    $m->{resources} = [grep { !$gone{ $_->{name} } } @{ $m->{resources} }];
    for my $r (@{ $m->{resources} }) {
        next unless $r->{keys}{after};
        $r->{keys}{after} = [grep { !$gone{$_} } @{ $r->{keys}{after} }];
        delete $r->{keys}{after} unless @{ $r->{keys}{after} };
    }
    return $m;
}

# ---- as files ----

sub resource_text {
    my ($m, $r) = @_;
    my %props;
    for (keys %{ $r->{props} }) {
        my $v = $r->{props}{$_};
        $props{$_} = ref $v eq 'HASH' && exists $v->{expr} ? $v->{expr} : $v;
    }
    $props{name} .= '-${count.index}' if defined $r->{keys}{count} && defined $props{name};
    $props{$_} = "\${$r->{refs}{$_}.id}" for keys %{ $r->{refs} // {} };
    my %keys = %{ $r->{keys} // {} };
    $keys{after} = [grep { find_resource($m, $_) || $m->{modules}{$_} } @{ $keys{after} }] if $keys{after};
    delete $keys{after} unless @{ $keys{after} // [] };
    $keys{when} = $keys{when} ? JSON::PP::true : JSON::PP::false if exists $keys{when};
    if (is_cloud($r)) {
        $keys{retry}    = { attempts => 2, backoff => '5ms' } unless $keys{retry};
        $keys{provider} = $r->{provider} if $r->{provider};
    }
    my $text = "  $r->{name}: {type: $TYPES{$r->{type}}";
    $text .= ", $_: " . $json->encode($keys{$_}) for sort keys %keys;
    return $text . ', properties: ' . $json->encode(\%props) . "}\n";
}

sub block_text {
    my ($name, $b) = @_;
    my $at = ($b->{alias} ? '@LOCALHOST' : '@') . ($b->{cloud} ? 'B@' : 'A@');    # the same place in other words
    return "  $name: {" . ($name eq 'cloud' ? '' : 'type: cloud, ') . ($b->{parallel} ? "parallel: $b->{parallel}, " : '') . "endpoint: \"$at\", token: torture}\n";
}

# The texts of env.yaml and of nested templates, with @A@, @B@, @LOCALHOSTA@ and @LOCALHOSTB@ for where the clouds listen.
sub files {
    my ($m) = @_;
    my %files;
    my $env = "environment: random\nparameters: {v: {type: string, default: \"1\"}}\n";
    my @blocks = sort keys %{ $m->{blocks} // {} };
    $env .= "providers:\n" . join '', map { block_text($_, $m->{blocks}{$_}) } @blocks if @blocks;
    my %of;
    for my $r (@{ $m->{resources} }) { $of{ $r->{in} // '' } .= resource_text($m, $r) }
    for my $n (sort keys %{ $m->{modules} // {} }) {
        my $o = $m->{modules}{$n};
        $files{"$n.yaml"} = "template: part\n" . ($o->{own} ? "providers:\n" . block_text('cloud', $o) : '') . ($of{$n} ? "resources:\n$of{$n}" : "resources: {}\n");
        my @after = grep { $m->{modules}{$_} } @{ $o->{after} // [] };
        $of{''} .= "  $n: {type: template, template: $n.yaml" . (@after ? ', after: ' . $json->encode(\@after) : '') . "}\n";
    }
    $env .= $of{''} ? "resources:\n$of{''}" : "resources: {}\n";
    $files{'env.yaml'} = $env;
    return \%files;
}

# ---- edits ----

sub rename_resource {
    my ($m, $from, $to) = @_;
    my $r = find_resource($m, $from) // return;
    return if find_resource($m, $to);
    $r->{name} = $to;
    for my $o (@{ $m->{resources} }) {
        for (values %{ $o->{refs} // {} }) { $_ = $to if $_ eq $from }
        for (@{ $o->{keys}{after} // [] }) { $_ = $to if $_ eq $from }
        for (values %{ $o->{props} }) {
            next unless ref eq 'HASH' && ($_->{of} // '') eq $from;
            $_->{of} = $to;
            $_->{expr} =~ s/\b\Q$from\E\b/$to/;
        }
    }
    return 1;
}

# Makes the change; false where it no longer applies (what it is about was taken away).
sub edit {
    my ($m, $e) = @_;
    my $what = $e->{what};
    my $r    = defined $e->{of} ? find_resource($m, $e->{of}) : undef;
    return if defined $e->{of} && !$r;
    if ($what eq 'key' && $e->{key} eq 'when' && defined $e->{value} && !(ref $e->{value} eq 'SCALAR' ? ${ $e->{value} } : $e->{value})) { without($m, needing($m, $r->{name})) }
    if    ($what eq 'set') { $r->{props}{ $e->{prop} } = clone($e->{value}) }
    elsif ($what eq 'key') { if (defined $e->{value}) { $r->{keys}{ $e->{key} } = clone($e->{value}) } else { delete $r->{keys}{ $e->{key} } } }
    elsif ($what eq 'remove') { without($m, $e->{of}) }
    elsif ($what eq 'rename') { return rename_resource($m, $e->{of}, $e->{to}) }
    elsif ($what eq 'add') {
        my $new = $e->{resource};
        return if find_resource($m, $new->{name}) || grep { !find_resource($m, $_) } values %{ $new->{refs} // {} };
        return if $new->{in} && !$m->{modules}{ $new->{in} };
        push @{ $m->{resources} }, clone($new);
    }
    elsif ($what eq 'after') {
        my $t = find_resource($m, $e->{to});
        return if !$t || ($t->{in} // '') ne ($r->{in} // '') || reaches($m->{resources}, $t, $r);
        $r->{keys}{after} = [@{ $r->{keys}{after} // [] }, $e->{to}];
    }
    elsif ($what eq 'module') {    # a nested template's name
        my $o = delete $m->{modules}{ $e->{from} } // return;
        $m->{modules}{ $e->{to} } = $o;
        for my $x (@{ $m->{resources} }) {
            $x->{in} = $e->{to} if ($x->{in} // '') eq $e->{from};
            for (@{ $x->{keys}{after} // [] }) { $_ = $e->{to} if $_ eq $e->{from} }
        }
        for my $x (values %{ $m->{modules} }) { for (@{ $x->{after} // [] }) { $_ = $e->{to} if $_ eq $e->{from} } }
    }
    elsif ($what eq 'block') {     # gone (undef), another, or another name for it
        return unless $m->{blocks}{ $e->{block} } || $e->{value};
        if ($e->{to}) {
            my $b = delete $m->{blocks}{ $e->{block} } // return;
            $m->{blocks}{ $e->{to} } = $b;
            for (@{ $m->{resources} }) { $_->{provider} = $e->{to} if ($_->{provider} // '') eq $e->{block} }
        }
        elsif ($e->{value}) { $m->{blocks}{ $e->{block} } = clone($e->{value}) }
        else {
            delete $m->{blocks}{ $e->{block} };
            without($m, map { $_->{name} } grep { ($_->{provider} // '') eq $e->{block} } @{ $m->{resources} });
        }
    }
    elsif ($what eq 'unmodule') {  # a nested template leaves, with its block
        return unless delete $m->{modules}{ $e->{from} };
        without($m, map { $_->{name} } grep { ($_->{in} // '') eq $e->{from} } @{ $m->{resources} });
    }
    elsif ($what eq 'cloud') { my $o = $m->{modules}{ $e->{of_module} } // return; @{$o}{ keys %{ $e->{value} } } = values %{ $e->{value} } }
    else { die "edit '$what'\n" }
    return 1;
}

1;
