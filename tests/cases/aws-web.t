#!/bin/bash
# Web servers on AWS from nothing, with a gate and with configuration over SSH, changed, tampered with, healed, destroyed; against an
# emulator, whose own answers are the witness. Then with signatures that are checked, and killed on its way.
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

if command -v sshd >/dev/null; then
        SSH_HOSTS_PORT=$(free_ports $SSH_HOSTS_N)
        said=$("$CLOUDS/ssh-hosts/up") || { echo "Bail out! the SSH hosts did not start"; exit 1; }
        eval "$said"
        SSH_HERE=yes
fi
project_aws
values >"$WORK/values.json"
own_key
WITH=(--values "$WORK/values.json")
STEPS=10
[ ! "$SSH_HERE" ] || STEPS=16

# --- Nothing there: what a person without credentials is told.
tutti check staging.yaml
code 0 "the example is sound without credentials"
tutti check production.yaml
code 0 "so is production"
env -u AWS_ACCESS_KEY_ID "$TUTTI" plan staging.yaml >"$WORK/out" 2>"$WORK/err"
like "$? $(cat "$WORK/err")" '^4 .*AWS_ACCESS_KEY_ID' "without a key, the error names the variable"

# --- The main job.
moto_start aws
tutti plan staging.yaml "${WITH[@]}" --json
code 0 "a first plan is made"
is "$(jq -c '.summary | [.create, .update, .replace, .delete, .gates]' <<<"$OUT")" "[$STEPS,0,0,0,1]" "it creates everything"
is "$(inventory)" "$NOTHING" "planning made nothing"
tutti apply staging.yaml "${WITH[@]}" --yes
code 3 "without a terminal the run stops at the gate"
like "$OUT" 'Run 2 instances of t3.micro from al2023-ami-minimal-20' "it names the image that was found"
is "$(inventory)" "$ALL instance:0" "the network is there, instances are not"
tutti approve staging.yaml launch
code 0 "the gate is approved"
tutti resume staging.yaml
code 0 "and the run goes on to its end"
is "$(inventory)" "$ALL instance:2" "now there are two instances"
ssh_part "the page is served on the first host" "$(page host1 | head -n 1)" "<h1>Welcome to staging</h1>"
ssh_part "by the second instance on the second" "$(page host2 | tail -n 1)" "<p>served by $(id_of 'web[1]') in eu-central-1b</p>"
ssh_part "the third is left alone" "$(ls "$SSH_HOSTS_STATE/hosts/host3/home" 2>/dev/null)" ""

VPC=$(id_of network) DOOR=$(id_of door) GROUP=$(id_of firewall) ROUTES=$(id_of routes)
is "$(ec2 DescribeSubnets "${OURS[@]}" | texts cidrBlock | sort | xargs)" "10.20.0.0/24 10.20.1.0/24" "the subnets are cut from the network"
is "$(ec2 DescribeSubnets "${OURS[@]}" | ids vpcId)" "$VPC" "and in it"
table=$(ec2 DescribeRouteTables RouteTableId.1="$ROUTES")
is "$(ids gatewayId <<<"$table" | grep igw)" "$DOOR" "the default route leads to the gateway"
is "$(ids subnetId <<<"$table" | wc -l)" 2 "both subnets use it"
ports() { ec2 DescribeSecurityGroups GroupId.1="$GROUP" | sed 's/<ipPermissionsEgress>.*<\/ipPermissionsEgress>//' | texts fromPort | sort -n | xargs; }
is "$(ports)" "22 80" "the group lets SSH and HTTP in"
is "$(instances | ids groupId)" "$GROUP" "the instances are in the group"
is "$(instances | ids keyName)" web-staging "and open to the key"
tutti output staging.yaml addresses --json
is "$(jq -r '.[]' <<<"$OUT" | sort | xargs)" "$(instances | ids ipAddress | xargs)" "outputs tell their addresses"
tutti plan staging.yaml "${WITH[@]}" --detailed-exitcode
code 0 "a repeated plan says no changes"

# --- Change parameters: one more instance, one more port, one more tag.
MORE=("${WITH[@]}" --set web_count=3 --set 'open_ports=[80,443]' --set 'tags={Team="shop",Stage="two"}')
tutti plan staging.yaml "${MORE[@]}"
like "$OUT" '\+ .*from_port":443' "the plan shows the rule that comes"
tutti plan staging.yaml "${MORE[@]}" --json
is "$(jq -c '.summary | [.update, .replace, .delete]' <<<"$OUT")" "[9,0,0]" "everything else changes in place"
first=$(id_of 'web[0]')
tutti apply staging.yaml "${MORE[@]}" --yes --approve launch
code 0 "it is applied"
is "$(inventory)" "$ALL instance:3" "there are three instances"
is "$(id_of 'web[0]')" "$first" "the first is the one from before"
is "$(ports)" "22 80 443" "the port is open"
is "$(ec2 DescribeVpcs "${OURS[@]}" Filter.2.Name=tag:Stage Filter.2.Value.1=two | ids vpcId)" "$VPC" "the tag is set"
ssh_part "the third host has its page" "$(page host3 | tail -n 1)" "<p>served by $(id_of 'web[2]') in eu-central-1a</p>"
tutti plan staging.yaml "${MORE[@]}" --detailed-exitcode
code 0 "nothing is left to do"
LESS=("${WITH[@]}" --set web_count=2)
tutti apply staging.yaml "${LESS[@]}" --yes --approve launch
code 0 "and back again"
is "$(inventory) $(ports)" "$ALL instance:2 22 80" "one less of each"
is "$(ec2 DescribeVpcs "${OURS[@]}" Filter.2.Name=tag:Stage Filter.2.Value.1=two | ids vpcId)" "" "and the tag is gone"

# --- Tampering: a rule, a route, a tag, an instance.
ec2 AuthorizeSecurityGroupIngress GroupId="$GROUP" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=3306 IpPermissions.1.ToPort=3306 \
        IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 >/dev/null
ec2 DeleteRoute RouteTableId="$ROUTES" DestinationCidrBlock=0.0.0.0/0 >/dev/null
ec2 CreateTags ResourceId.1="$VPC" Tag.1.Key=Name Tag.1.Value=mine >/dev/null
ec2 TerminateInstances InstanceId.1="$first" >/dev/null
[ ! "$SSH_HERE" ] || echo hacked >"$SSH_HOSTS_STATE/hosts/host2/home/site/index.html"
is "$(ports)" "22 80 3306" "somebody opens the database to the world"
tutti drift staging.yaml "${LESS[@]}" --detailed-exitcode --json
code 2 "drift is found"
is "$(jq -r '[.steps[].address] | sort | join(" ")' <<<"$OUT")" "firewall network${SSH_HERE:+ page[1]} routes web[0]" "exactly where it is"
tutti apply staging.yaml "${LESS[@]}" --yes --approve launch
code 0 "apply heals"
is "$(inventory) $(ports)" "$ALL instance:2 22 80" "objects and rules are as they were"
is "$(ec2 DescribeRouteTables RouteTableId.1="$ROUTES" | ids gatewayId | grep igw)" "$DOOR" "so is the route"
is "$(ec2 DescribeVpcs "${OURS[@]}" Filter.2.Name=tag:Name Filter.2.Value.1=web-staging | ids vpcId)" "$VPC" "so is the tag"
ssh_part "the first host serves the new instance" "$(page host1 | tail -n 1)" "<p>served by $(id_of 'web[0]') in eu-central-1a</p>"
ssh_part "the second host's page is whole again" "$(page host2 | head -n 1)" "<h1>Welcome to staging</h1>"
tutti plan staging.yaml "${LESS[@]}" --detailed-exitcode
code 0 "and nothing is left to do"

tutti destroy staging.yaml "${LESS[@]}" --yes
code 0 "destroy"
is "$(inventory)" "$NOTHING" "nothing is left in the cloud"
tutti state list staging.yaml --json
is "$OUT" "[]" "nor in the record"
[ ! -e .tutti/web-staging_key ]; ok $? "the key pair is gone"

# --- Killed at six moments of a creation: resumed, everything is there once.
own_key
TUTTI_FAULT=count:$WORK/points "$TUTTI" apply staging.yaml "${WITH[@]}" --yes --approve all >"$WORK/out" 2>"$WORK/err" </dev/null
CODE=$?
code 0 "a run without faults"
POINTS=$(wc -l <"$WORK/points")
echo "# $POINTS fault points in a run without faults"
tutti destroy staging.yaml "${WITH[@]}" --yes
kills=0
for i in 1 2 3 4 5 6; do
        at=$((POINTS * i / 7))
        own_key
        TUTTI_FAULT=kill:$at "$TUTTI" apply staging.yaml "${WITH[@]}" --yes --approve all >"$WORK/out" 2>&1 </dev/null
        [ $? = 137 ] && kills=$((kills + 1))
        if "$TUTTI" status staging.yaml --json 2>/dev/null | jq -e '.run != null' >/dev/null; then
                tutti resume staging.yaml --approve all
        else
                tutti apply staging.yaml "${WITH[@]}" --yes --approve all
        fi
        code 0 "killed at point $at of $POINTS, resumed"
        tutti plan staging.yaml "${WITH[@]}" --detailed-exitcode
        is "$CODE $(inventory)" "0 $ALL instance:2" "everything is there once, and nothing is left to do"
        tutti destroy staging.yaml "${WITH[@]}" --yes
        is "$CODE $(inventory)" "0 $NOTHING" "and it goes without a rest"
done
is $kills 6 "all six were killed on their way"

# --- Signatures and permissions that are checked.
moto_start aws-auth AWS_MOTO_AUTH=1 AWS_MOTO_AUTH_AFTER=3
iam CreateUser UserName=tutti >/dev/null
made=$(iam CreateAccessKey UserName=tutti)
iam PutUserPolicy UserName=tutti PolicyName=ec2 \
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}]}' >/dev/null
AWS_ACCESS_KEY_ID=$(texts AccessKeyId <<<"$made") AWS_SECRET_ACCESS_KEY=$(texts SecretAccessKey <<<"$made")
like "$(iam ListUsers)" AccessDenied "the emulator refuses what the user may not"
right=$AWS_SECRET_ACCESS_KEY
AWS_SECRET_ACCESS_KEY=wrong-secret-0000
own_key
tutti apply staging.yaml "${WITH[@]}" --yes --approve all
code 1 "a wrong secret is refused"
like "$ERR" 'validate the provided access credentials' "and the error says why"
[[ $ERR$OUT != *wrong-secret-0000* ]]; ok $? "without telling the secret"
AWS_SECRET_ACCESS_KEY=$right
is "$(inventory)" "$NOTHING" "it made nothing"
tutti apply staging.yaml "${WITH[@]}" --yes --approve all --set 'tags={Odd="a b+c/d=e&f~g*h"}'
code 0 "every signed request is accepted"
is "$(inventory)" "$ALL instance:2" "everything is there"
tutti plan staging.yaml "${WITH[@]}" --detailed-exitcode --set 'tags={Odd="a b+c/d=e&f~g*h"}'
code 0 "nothing is left to do"
tutti destroy staging.yaml "${WITH[@]}" --yes
is "$CODE $(inventory)" "0 $NOTHING" "and it goes again"
grep -rqaF "$right" .tutti; [ $? = 1 ]; ok $? "the secret is nowhere in clear under .tutti"
finish
