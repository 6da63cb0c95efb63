#!/usr/bin/perl
# A cloud whose answers are too large, for stories: `big.pl FOLDER` listens on loopback and writes FOLDER/port. What it says too much of is the first part of the path:
# /id, /error, /status, /folds; each type of objects is POSTed there, and read at /…/1.
use strict;
use warnings;
use IO::Socket::INET;

my ($folder) = @ARGV;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', Proto => 'tcp', ReuseAddr => 1) or die "listen: $!";
open my $f, '>', "$folder/port.new" or die;
print $f $server->sockport;
close $f;
rename "$folder/port.new", "$folder/port";

sub answer {
    my ($client, $status, $body, $more) = @_;
    print $client "HTTP/1.1 $status Big\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ", length $body, "\r\n", $more // '', "\r\n", $body;
}

while (my $client = $server->accept) {
    my $pid = fork // die;
    if ($pid) { close $client; next }
    my $first = <$client> // exit 0;
    my ($length) = (0);
    while (my $line = <$client>) {
        $length = $1 if $line =~ /^content-length: *(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    read $client, my $body, $length if $length;
    my ($method, $what) = $first =~ m{^(\S+) /(\w+)};
    my $much = 'x' x 5_000_000;
    if ($what eq 'id')        { answer($client, 200, "{\"id\": \"" . substr($much, 0, 1_000_000) . '"}') }
    elsif ($what eq 'error')  { answer($client, 400, "{\"message\": \"$much$much\"}") }
    elsif ($what eq 'status') { answer($client, 200, $method eq 'POST' ? '{"id": "1"}' : "{\"id\": \"1\", \"status\": \"$much\", \"message\": \"$much\"}") }
    elsif ($what eq 'folds')  { answer($client, 200, '{"id": "1"}', "X-Long: a\r\n" . " b\r\n" x 60_000) }
    else                      { answer($client, 404, '{}') }
    exit 0;
}
