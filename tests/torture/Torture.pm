# What the torture tests share: a practice cloud, commands run in it, and what there is in the end. See run.
package Torture;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

our ($tutti, %cloud);    # the program; the cloud of this process: pid, url; of its second one, for stories that have two: pid2, url2
our %running;            # pids of commands of this process that may still run
our $work = tempdir('tutti-torture-XXXXXX', TMPDIR => 1, CLEANUP => 0);
our $json = JSON::PP->new->canonical;
our @EXPORT = qw(%running stop_all cores $tutti %cloud $work $json cloud_start cloud_stop call code_of command append captured slurp manifest world in_each journal made cloud_empty tail);
my $http = HTTP::Tiny->new(timeout => 30);
use constant { TOKEN => 'torture', COMMAND_MAX => 120 };
delete @ENV{grep { /^TUTTI_/ } keys %ENV};
$ENV{TUTTI_STRICT} = 1; # a fault of the program itself ends it at once

sub cores { my $n = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg; return $n || 1 }

# One cloud, or two. `urls`: the clouds that a trial looks at.
sub cloud_start {
    my ($two) = @_;
    my ($pid, $url) = cloud_fork("$work/cloud.$$");
    %cloud = (pid => $pid, url => $url, urls => [$url]);
    @cloud{qw(pid2 url2)} = cloud_fork("$work/cloud2.$$") if $two;
    @ENV{qw(TORTURE_URL TORTURE_TOKEN)} = ($url, TOKEN);
    $ENV{TORTURE_URL2} = $cloud{url2} if $two;
}

sub cloud_fork {    # its pid and URL
    my ($ready) = @_;
    unlink $ready;      # of a cloud that this process started before
    my $pid = fork // die;
    if (!$pid) {
        open STDOUT, '>', $ready;
        open STDERR, '>', "$ready.err";
        exec $tutti, 'sandbox', '--listen', '127.0.0.1:0', '--token', TOKEN, '--no-ssh', '--latency', '0ms-10ms' or exit 127;
    }
    for (1 .. 600) {
        if (open my $f, '<', $ready) {
            my $line = <$f> // '';
            return ($pid, $1) if $line =~ m{(http://[^,]+),};
        }
        die "the cloud did not start\n" if waitpid($pid, WNOHANG) == $pid;
        sleep 0.05;
    }
    die "the cloud did not start\n";
}

sub call {
    my ($method, $path, $body) = @_;
    my $reply = $http->request($method, $cloud{url} . $path,
        { headers => { Authorization => 'Bearer ' . TOKEN }, $body ? (content => $body) : () });
    die "$method $path: $reply->{status} $reply->{content}\n" unless $reply->{success};
    return $reply->{content} ? $json->decode($reply->{content}) : undef;
}

# The exit code of a child: 256 + signal, or -1 when it did not end in so many seconds.
sub code_of {
    my ($pid, $seconds) = @_;
    my $ended = 0;
    $running{$pid} = 1;
    local $SIG{ALRM} = sub { kill KILL => $pid; $ended = -1 };
    alarm $seconds;
    waitpid $pid, 0;
    alarm 0;
    delete $running{$pid};
    return $ended ? -1 : $? & 127 ? 256 + ($? & 127) : $? >> 8;
}

# One command: its exit code, 256 + signal, or -1 when it did not end.
sub command {
    my ($folder, $fault, @args) = @_;
    my $pid = fork // die;
    if (!$pid) {
        chdir $folder or exit 127;
        $ENV{TUTTI_FAULT} = $fault if $fault;
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', "$folder/out";
        open STDERR, '>&', \*STDOUT;
        $| = 1;
        print '$ ', $fault ? "TUTTI_FAULT=$fault " : '', "tutti @args\n";
        exec $tutti, @args or exit 127;
    }
    my $code = code_of($pid, COMMAND_MAX);
    append("$folder/out", "= $code\n");
    return $code;
}

sub append { open my $f, '>>', $_[0] or die; print $f $_[1]; close $f }

sub captured {
    my ($folder, @args) = @_;
    my $pid = open(my $f, '-|') // die;
    if (!$pid) { chdir $folder; open STDERR, '>', '/dev/null'; exec $tutti, @args or exit 127 }
    local $/;
    my $out = <$f>;
    close $f;
    return $? == 0 ? $out : undef;
}

sub slurp { open my $f, '<', $_[0] or return ''; local $/; my $x = <$f>; return $x // '' }

sub cloud_stop {
    my @pids = grep { defined } @cloud{qw(pid pid2)};
    kill TERM => @pids;
    waitpid $_, 0 for @pids;
    %cloud = ();
}

sub stop_all {    # before its time: commands, also those that are stopped, and the cloud
    kill KILL => keys %running;
    cloud_stop() if %cloud;
}

sub manifest {    # of a kind of API
    my ($kind) = @_;
    my $text = '';
    for (split /^/, slurp(dirname(abs_path(__FILE__)) . '/cloud.yaml')) {
        if (/^(?!#)(.*?) # ((?:keys|labels|names)(?: (?:keys|labels|names))*)$/) {
            next unless grep { $_ eq $kind } split ' ', $2;
            $text .= "$1\n";
        } else {
            $text .= $_;
        }
    }
    return $text;
}

sub in_each {    # cloud of the trial: what CODE gives there
    my ($code) = @_;
    return map { local $cloud{url} = $_; $code->() } @{ $cloud{urls} };
}

# All objects as texts that are the same in every trial: ids are replaced by the names of what they are of. Of a second cloud each begins with its number.
sub world {
    my $number = 0;
    my (@texts, @ids);
    in_each(sub {
        my %objects = map { my $t = $_; map { ($_->{id} => { %$_, collection => $t }) } @{ call('GET', "/v1/$t") } }
            qw(networks subnets servers volumes);
        my $where = $number++ ? "$number " : '';
        for my $o (values %objects) {
            my %shown = %$o;
            delete @shown{qw(id private_ip labels note user_data ssh_host ssh_port ssh_user host_key)};
            for (values %shown) { $_ = "of $objects{$_}{name}" if defined && !ref && exists $objects{$_} }
            push @texts, $where . $json->encode(\%shown);
        }
        push @ids, keys %objects;
    });
    return (join("\n", sort @texts), join(' ', sort @ids));
}

sub journal { call('GET', '/_journal?since=' . ($_[0] // 0)) }

# How often each was made in one of the clouds since `since` (by URL), whatever was made by hand (`given`) apart, and which of one name lived at once.
sub made {
    my ($since) = @_;
    my (%made, @twice);
    my $number = 0;
    in_each(sub {
        my %live;
        my $where = $number++ ? "$number " : '';
        for my $e (@{ journal($since->{ $cloud{url} }) }) {
            next if $cloud{given}{ $e->{id} };
            my $what = "$where$e->{type} $e->{name}";
            if ($e->{effect} eq 'created') {
                push @twice, $what if $live{$what}++;
                $made{$what}++;
            } elsif ($e->{effect} eq 'deleted') {
                $live{$what}--;
            }
        }
    });
    return (\%made, join(', ', @twice));
}

sub cloud_empty {
    in_each(sub {
        call('POST', '/_control', '{"faults": [], "visible_after": "0ms"}');
        for my $pass (1 .. 4) {
            for my $t (qw(servers volumes subnets networks)) {
                for my $o (@{ call('GET', "/v1/$t") }) { eval { call('DELETE', "/v1/$t/$o->{id}") } }
            }
        }
    });
}

sub tail { my @l = split /\n/, $_[0]; return join "\n", @l > 60 ? @l[-60 .. -1] : @l }


1;
