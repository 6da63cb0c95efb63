#!/usr/bin/perl
# Receives messages on loopback for stories: `receiver.pl http|smtp FOLDER [PORT]`. Writes FOLDER/port once it listens, and each
# message as FOLDER/N.head and FOLDER/N.body, N from 1 in the order of arrival; FOLDER/N.body appears last and whole.
#
# FOLDER/mode says how it answers, as of each connection: `ok`, `hang` (says nothing until the other side gives up), and for http
# `500`, `302` or any status, `lost` (takes the message, and hangs up without an answer), each with a number behind it for the first so
# many messages only (`503 2`); for smtp `reject` (no recipient is known) and `silent` (QUIT is not answered).
use strict;
use warnings;
use IO::Socket::INET;

my ($kind, $folder, $port) = @ARGV;
$SIG{CHLD} = 'IGNORE';
my $server = IO::Socket::INET->new(
    Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $port || 0, Proto => 'tcp', ReuseAddr => 1)
    or die "listen: $!";
write_file("$folder/port", $server->sockport);

sub write_file {
    my ($path, $text) = @_;
    open my $f, '>:raw', "$path.new" or die "$path: $!";
    print $f $text;
    close $f;
    rename "$path.new", $path or die "$path: $!";
}

sub mode {
    open my $f, '<', "$folder/mode" or return 'ok';
    my $mode = <$f> // 'ok';
    chomp $mode;
    return $mode;
}

# Each number is taken once, also by connections at the same time.
sub keep {
    my ($head, $body) = @_;
    my $n = 1;
    $n++ until mkdir "$folder/$n.taken";
    write_file("$folder/$n.head", $head);
    write_file("$folder/$n.body", $body);
    return $n;
}

sub hang {
    my ($client) = @_;
    1 while sysread $client, my $ignored, 4096;
    exit 0;
}

sub http {
    my ($client) = @_;
    my ($mode, $times) = split ' ', mode();
    hang($client) if $mode eq 'hang';
    my $head = '';
    while (my $line = <$client>) {
        last if $line =~ /^\r?\n$/;
        $head .= $line;
    }
    exit 0 if $head eq '';
    my ($length) = $head =~ /^content-length: *(\d+)/im;
    my $body = '';
    read $client, $body, $length // 0;
    my $n = keep($head, $body);
    $mode = 'ok' if defined $times && $n > $times;
    exit 0 if $mode eq 'lost';
    my $status = $mode eq 'ok' ? 200 : $mode;
    print $client "HTTP/1.1 $status Story\r\nContent-Length: 4\r\nConnection: close\r\n",
        $status == 302 ? "Location: http://127.0.0.1:1/\r\n" : '', "\r\nnope";
}

sub smtp {
    my ($client) = @_;
    my $mode = mode();
    hang($client) if $mode eq 'hang';
    my ($head, $data) = ('', undef);
    print $client "220 story ESMTP\r\n";
    while (my $line = <$client>) {
        if (defined $data) {
            if ($line eq ".\r\n") {
                keep($head, $data);
                ($head, $data) = ('', undef);
                print $client "250 taken\r\n";
            } else {
                $line =~ s/^\.//;
                $data .= $line;
            }
            next;
        }
        $head .= $line;
        if ($line =~ /^EHLO/i) { print $client "250-story\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n" }
        elsif ($line =~ /^AUTH PLAIN\s*$/i) { print $client "334 \r\n"; $head .= <$client> // ''; print $client "235 welcome\r\n" }
        elsif ($line =~ /^AUTH PLAIN/i) { print $client "235 welcome\r\n" }
        elsif ($line =~ /^RCPT/i && $mode eq 'reject') { print $client "550 who?\r\n" }
        elsif ($line =~ /^DATA/i) { $data = ''; print $client "354 go on\r\n" }
        elsif ($line =~ /^QUIT/i) { hang($client) if $mode ne 'ok'; print $client "221 bye\r\n"; last }
        else { print $client "250 ok\r\n" }
    }
}

while (my $client = $server->accept) {
    my $pid = fork;
    if (!defined $pid || $pid == 0) {
        close $server;
        $client->autoflush(1);
        $kind eq 'smtp' ? smtp($client) : http($client);
        exit 0;
    }
    close $client;
}
