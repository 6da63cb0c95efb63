# What the programs of this folder share: the environments that are measured, the practice cloud, and running commands.
package Bench;
use strict;
use warnings;
use Exporter qw(import);
use POSIX ();
our @EXPORT_OK = qw(capture write_file references environment draw seed start_sandbox stop_sandbox);

my $sandbox;    # the practice cloud's process, ended with us
END { if ($sandbox) { my $code = $?; stop_sandbox(); $? = $code } }

sub capture {
        open my $from, '-|', @_ or die "run $_[0]: $!\n";
        my @line = <$from>;
        close $from;
        return wantarray ? @line : join '', @line;
}

sub write_file {
        my ($path, $content) = @_;
        open my $to, '>', $path or die "write $path: $!\n";
        print $to $content or die "write $path: $!\n";
        close $to or die "write $path: $!\n";
}

# The same seed gives the same environment on every machine.
my $seed = 1;
sub seed { $seed = $_[0] }
sub draw { $seed = ($seed * 1103515245 + 12345) % 2147483648; return int(($seed >> 8) % $_[0]) }

# What resource I refers to, in each of the shapes.
sub references {
        my ($shape, $i) = @_;
        return () if $i == 0 || $shape eq 'independent';
        return (0) if $shape eq 'star';
        return ($i - 1) if $shape eq 'chain';
        my $window = $i < 50 ? $i : 50;
        return map { $i - 1 - draw($window) } 1, 2;
}

# CHANGED is the resource whose input differs, so that a plan has one change to find; -1: none.
sub environment {
        my ($shape, $count, $changed) = @_;
        my $yaml = "environment: bench\nresources:\n";
        seed(1);
        for my $i (0 .. $count - 1) {
                my $input = join '-', (map { "\${r$_.id}" } references($shape, $i)), $i == $changed ? 'changed' : "x$i";
                $yaml .= "  r$i:\n    type: value\n    properties: {input: \"$input\"}\n";
        }
        return $yaml;
}

# Starts `TUTTI sandbox` with FLAGS on loopback and lets the environment variables name it.
sub start_sandbox {
        my ($tutti, @flags) = @_;
        pipe my $from, my $to or die "make a pipe: $!\n";
        $sandbox = fork // die "start the practice cloud: $!\n";
        if ($sandbox == 0) {
                open STDOUT, '>&', $to;
                exec { $tutti } $tutti, 'sandbox', '--listen', '127.0.0.1:0', '--token', 'bench', '--no-ssh', @flags or POSIX::_exit(127);
        }
        close $to;
        my $line = <$from> // '';
        $line =~ m{(http://127\.0\.0\.1:\d+)} or die "the practice cloud did not start: $line\n";
        @ENV{qw(TUTTI_SANDBOX_ENDPOINT TUTTI_SANDBOX_TOKEN)} = ($1, 'bench');
}

sub stop_sandbox { kill 'TERM', $sandbox; waitpid $sandbox, 0; undef $sandbox }

1;
