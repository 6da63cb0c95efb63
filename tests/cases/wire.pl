#!/usr/bin/perl
# A wire that can break: passes bytes between a port of its own and 127.0.0.1:TARGET. Prints its port.
#
#     wire.pl TARGET FOLDER [PORT]   FOLDER/limit holds MODE BYTES, read for each connection as it begins: once a connection has carried that many
#                                    bytes to the target, `hold` lets nothing go there any more, and `mute` nothing come back; `pass` does neither
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($target, $folder, $port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port // 0, Listen => 20, ReuseAddr => 1) or die "listen: $!\n";
$| = 1;
print $listener->sockport, "\n";
my $select = IO::Select->new($listener);
my %other;    # socket => its peer
my %of;       # socket => {client, mode, limit, count} of its connection

sub hang_up {
        my ($socket) = @_;
        for ($socket, $other{$socket}) { $select->remove($_); delete $of{$_}; close $_ }
        delete $other{$_} for grep { !$of{$_} } keys %other;
}

sub take {
        my $client = $listener->accept or return;
        my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target) or return close $client;
        my ($mode, $limit) = ('pass', 0);
        if (open my $f, '<', "$folder/limit") { ($mode, $limit) = split ' ', <$f> }
        my $connection = {client => $client, mode => $mode, limit => $limit, count => 0};
        @other{$client, $server} = ($server, $client);
        @of{$client, $server} = ($connection, $connection);
        $select->add($client, $server);
}

sub pass {
        my ($from) = @_;
        my $c = $of{$from};
        my $to_target = $from == $c->{client};
        my $over = $c->{count} >= $c->{limit};
        return $select->remove($from) if $over && $c->{mode} eq ($to_target ? 'hold' : 'mute');
        my $got = sysread $from, my $data, 16384;
        return hang_up($from) if !$got;
        $c->{count} += $got if $to_target;
        my $to = $other{$from};
        while (length $data) {
                my $sent = syswrite $to, $data;
                return hang_up($from) if !$sent;
                substr $data, 0, $sent, '';
        }
}

$SIG{PIPE} = 'IGNORE';
while (my @ready = $select->can_read) {
        for my $socket (@ready) {
                if ($socket == $listener) { take() }
                elsif ($of{$socket}) { pass($socket) }
        }
}
