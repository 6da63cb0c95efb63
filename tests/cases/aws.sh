# For stories about examples/aws-web against the AWS emulator: starts it, asks it, and knows what the example makes. Sourced, not run; the
# story is skipped where there is no moto_server.
#
#     moto_start NAME [SETTING…]     starts one; it ends with the story
#     inventory                      how many objects of each kind carry the environment's tag
#     values, project_aws, own_key   the example, with values for here
. "${BASH_SOURCE%/*}/engine.sh"
PATH=$PATH:/usr/sbin
moto_server --help >/dev/null 2>&1 || { echo "1..0 # SKIP there is no moto_server (pip install 'moto[server]')"; exit 0; }
CLOUDS=$HERE/tests/clouds
REGION=eu-central-1
unset AWS_SESSION_TOKEN AWS_CA_BUNDLE AWS_PROFILE
export SSH_HOSTS_STATE=$WORK/hosts SSH_HOSTS_N=3 SSH_HOSTS_PORT

aws_cleanup() {
        for state in "$WORK/aws" "$WORK/aws-auth"; do
                [ ! -d "$state" ] || AWS_MOTO_STATE=$state "$CLOUDS/aws/down"
        done
        [ ! -d "$SSH_HOSTS_STATE" ] || "$CLOUDS/ssh-hosts/down"
        cleanup
}
trap aws_cleanup EXIT

free_ports() { # COUNT → the first of so many in a row that nobody listens on, below those that the system hands out
        local base port try
        for try in $(seq 100); do
                base=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
                for ((port = base; port < base + $1; port++)); do
                        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
                done
                echo "$base"
                return
        done
        echo "Bail out! no free ports after $try tries"
        exit 1
}

moto_start() { # NAME [SETTING…]
        local name=$1 said
        shift
        said=$(env AWS_MOTO_STATE="$WORK/$name" AWS_MOTO_PORT="$(free_ports 1)" "$@" "$CLOUDS/aws/up") || { echo "Bail out! moto_server did not start"; exit 1; }
        eval "$said"
        export AWS_REGION=$REGION AWS_DEFAULT_REGION=$REGION
}

request() { # SERVICE VERSION ACTION [NAME=VALUE…] → XML
        local service=$1 version=$2 action=$3 arguments=() pair
        shift 3
        for pair; do arguments+=(--data-urlencode "$pair"); done
        curl -sS --aws-sigv4 "aws:amz:$REGION:$service" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
                -d "Action=$action" -d "Version=$version" "${arguments[@]}" "$AWS_ENDPOINT_URL/"
}
ec2() { request ec2 2016-11-15 "$@"; }
iam() { request iam 2010-05-08 "$@"; }
texts() { grep -o "<$1>[^<]*" | cut -d'>' -f2; }
ids() { texts "$1" | sort -u; }

# What exists in the cloud with the environment's tag.
OURS=(Filter.1.Name=tag:Environment Filter.1.Value.1=web-staging)
instances() { ec2 DescribeInstances "${OURS[@]}" Filter.2.Name=instance-state-name Filter.2.Value.1=running Filter.2.Value.2=pending; }
inventory() {
        echo "vpc:$(ec2 DescribeVpcs "${OURS[@]}" | ids vpcId | wc -l)" \
                "subnet:$(ec2 DescribeSubnets "${OURS[@]}" | ids subnetId | wc -l)" \
                "door:$(ec2 DescribeInternetGateways "${OURS[@]}" | ids internetGatewayId | wc -l)" \
                "routes:$(ec2 DescribeRouteTables "${OURS[@]}" | ids routeTableId | wc -l)" \
                "group:$(ec2 DescribeSecurityGroups "${OURS[@]}" | ids groupId | wc -l)" \
                "key:$(ec2 DescribeKeyPairs "${OURS[@]}" | ids keyPairId | wc -l)" \
                "instance:$(instances | ids instanceId | wc -l)"
}
ALL="vpc:1 subnet:2 door:1 routes:1 group:1 key:1"
NOTHING="vpc:0 subnet:0 door:0 routes:0 group:0 key:0 instance:0"

id_of() { # ADDRESS → the object's id
        tutti state show staging.yaml "$1" --json
        jq -r .id <<<"$OUT"
}
page() { cat "$SSH_HOSTS_STATE/hosts/$1/home/www/index.html" 2>&1; }

# Values for here: an image that the emulator has, hosts that stand in for the instances, commands that leave the machine alone.
SSH_HERE=
values() {
        jq -n --arg hosts "${SSH_HOSTS_LIST-}" --arg user "${SSH_HOSTS_USER-}" --arg state "$SSH_HOSTS_STATE" \
                --arg configure "$SSH_HERE" '{
                image_name: "al2023-ami-minimal-*-x86_64", image_owner: "137112412989",
                configure: ($configure == "yes"), ssh_user: $user,
                setup: "mkdir -p www && echo ready > www/setup", setup_unless: "test -f www/setup", publish: "cp site/index.html www/",
                hosts: [$hosts | split(" ")[] | capture("(?<name>.*)=(?<address>.*):(?<port>.*)") | {address, port: (.port | tonumber)}]}'
}
project_aws() {
        mkdir -p "$WORK/project/examples"
        cp -r "$HERE/examples/aws-web" "$WORK/project/examples/"
        cp -r "$HERE/templates" "$WORK/project/"
        rm -rf "$WORK/project/examples/aws-web/.tutti"
        cd "$WORK/project/examples/aws-web" || exit 1
}
# The hosts know this key: it takes the place of the one that the template would make.
own_key() {
        mkdir -p -m 0700 .tutti
        [ ! "$SSH_HERE" ] || cp "$SSH_HOSTS_KEY" "$SSH_HOSTS_KEY.pub" .tutti/
        [ ! "$SSH_HERE" ] || (cd .tutti && mv id web-staging_key && mv id.pub web-staging_key.pub)
}

ssh_part() { # NAME RESULT: an assertion that needs the hosts
        if [ "$SSH_HERE" ]; then
                is "$2" "$3" "$1"
        else
                COUNT=$((COUNT + 1))
                echo "ok $COUNT - $1 # SKIP OpenSSH's server is not installed"
        fi
}
