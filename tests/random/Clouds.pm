# The two practice clouds of a process: what a story sets them to, and what their journals say.
package Clouds;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use Torture;
our @EXPORT_OK = qw(clouds_start clouds_stop at look clouds_behave clouds_reset api_manifest cloud_url);

my @clouds;    # of this process: pid, url, head (of its journal)

sub clouds_start {
    for my $n (0, 1) {
        cloud_start();
        push @clouds, { %cloud, head => 0 };
    }
    @ENV{qw(TORTURE_URL TORTURE_TOKEN)} = ($clouds[0]{url}, 'torture');
}

sub clouds_stop { for my $c (@clouds) { %cloud = %$c; cloud_stop() } @clouds = () }

sub at { my ($c, @call) = @_; local %Torture::cloud = %{ $clouds[$c] }; return call(@call) }

# Takes in what the journals say since the last time; the list of their entries, with `cloud`.
sub look {
    my ($s) = @_;
    my @new;
    for my $c (0, 1) {
        my $entries = at($c, 'GET', "/_journal?since=$clouds[$c]{head}");
        $clouds[$c]{head} = $entries->[-1]{seq} if @$entries;
        push @new, map { { %$_, cloud => $c } } @$entries;
    }
    for my $e (sort { $a->{time} cmp $b->{time} || $a->{seq} <=> $b->{seq} } @new) {
        if ($e->{effect} eq 'created') { $s->{live}{ $e->{id} } = { %$e, step => $s->{step} } }
        if ($e->{effect} eq 'deleted') { $s->{dead}{ $e->{id} } = delete $s->{live}{ $e->{id} } }
    }
    return \@new;
}

sub clouds_behave {
    my (%settings) = @_;
    at($_, 'POST', '/_control', $json->encode(\%settings)) for 0, 1;
}

sub clouds_reset {
    my ($s, $story) = @_;
    clouds_behave(faults => [], latency => '0ms', visible_after => '0ms', rate => 'off', idempotency => JSON::PP::true, name_unique => JSON::PP::true);
    for my $c (0, 1) {
        for my $t (qw(servers volumes subnets networks)) {
            for my $o (@{ at($c, 'GET', "/v1/$t") }) { at($c, 'DELETE', "/v1/$t/$o->{id}") }
        }
    }
    look({ live => {}, step => 0 });
    my %idempotency = (sandbox => 1, keys => 1);
    clouds_behave(idempotency => $idempotency{ $story->{api} } ? JSON::PP::true : JSON::PP::false,
        name_unique => $story->{unique} ? JSON::PP::true : JSON::PP::false, %{ $story->{cloud} // {} });
}

sub api_manifest {
    my ($story) = @_;
    my $limits = $story->{limit} ? "limits: {parallel: $story->{limit}}\n" : '';
    if ($story->{api} eq 'sandbox') {
        my $text = slurp(dirname(abs_path(__FILE__)) . '/../../providers/sandbox/provider.yaml');
        $text =~ s/^provider: sandbox\n/provider: cloud\nrequest: {timeout: 600ms}\n$limits/m;
        $text =~ s/sandbox\./cloud./g;
        $text =~ s/TUTTI_SANDBOX_ENDPOINT/TORTURE_URL/;
        $text =~ s/TUTTI_SANDBOX_TOKEN/TORTURE_TOKEN/;
        $text =~ s/settle: 30s/settle: 400ms/;
        $text =~ s/settle: 1s/settle: 100ms/;
        $text =~ s/every: 50ms-2s/every: 10ms-100ms/g;
        return $text;
    }
    my $text = manifest($story->{api});
    $text =~ s/^(provider: cloud\n)/$1$limits/m;
    return $text;
}

sub cloud_url { return $clouds[$_[0]]{url} }

1;
