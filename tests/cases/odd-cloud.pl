#!/usr/bin/perl
# A small API with habits that real ones have: creation by a job, behind a login that expires; an etag that each change changes; answers in plain
# text that nobody needs; fields that the cloud sets itself. Prints its port; its journal is FOLDER/journal, a line for each request: METHOD PATH STATUS.
#
#     odd-cloud.pl FOLDER
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;

my ($folder) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50, ReuseAddr => 1) or die "listen: $!\n";
open my $journal, '>>', "$folder/journal" or die "journal: $!\n";
$journal->autoflush;
$| = 1;
print $listener->sockport, "\n";
my (%thing, %job, $keys, %uses);
my $json = JSON::PP->new->canonical;
my $jobs = 0;

sub expired { my $key = $_[0]{key} // ''; return !defined $uses{$key} || $uses{$key}-- <= 0 }

# (status, body, content type) of a request
sub answer {
        my ($method, $path, $headers, $body) = @_;
        my $given = $body ne '' ? eval { $json->decode($body) } // {} : {};
        if ($path eq '/login') { $keys++; $uses{"k$keys"} = 3; return (200, {key => "k$keys"}) }
        if ($path eq '/jobs' && $method eq 'POST') {
                return (401, {}) if expired($headers);
                $jobs++;
                $job{$jobs} = {polls => 0, name => $given->{name}};
                return (202, {job => $jobs});
        }
        if ($path =~ m{^/jobs/(\d+)$} && $job{$1}) {
                my $j = $job{$1};
                return (401, {}) if expired($headers);
                return (503, {}) if ++$j->{polls} == 2;    # once
                return (200, {done => JSON::PP::false}) if $j->{polls} < 8;
                $thing{$j->{name}} //= {name => $j->{name}};
                return (200, {done => JSON::PP::true, target => $j->{name}});
        }
        if ($path =~ m{^/things/([^/?]+)$}) {
                my $name = $1;
                if ($method eq 'PUT') {
                        $thing{$name} = {%{$thing{$name} // {note => 'as made'}}, %$given, etag => 'e' . (1 + substr $thing{$name}{etag} // 'e0', 1)};
                        return (200, 'stored <it>');
                }
                return (404, {}) if !$thing{$name};
                if ($method eq 'DELETE') { delete $thing{$name}; return (204, '') }
                if ($method eq 'PATCH') { $thing{$name} = {%{$thing{$name}}, %$given}; return (200, $thing{$name}) }
                return (200, $thing{$name});
        }
        return (404, {message => "no $path"});
}

$SIG{PIPE} = 'IGNORE';
while (my $client = $listener->accept) {
        my $line = <$client> // next;
        my ($method, $path) = split ' ', $line;
        my %headers;
        while (defined($line = <$client>) && $line =~ /\S/) { $headers{lc $1} = $2 if $line =~ /^([^:]+):\s*(.*?)\r?\n/ }
        my $body = '';
        read $client, $body, $headers{'content-length'} // 0;
        my ($status, $reply) = answer($method, $path, \%headers, $body);
        print $journal "$method $path $status\n";
        my $text = ref $reply ? $json->encode($reply) : $reply;
        print $client "HTTP/1.1 $status Odd\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
        close $client;
}
