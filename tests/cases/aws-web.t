#!/bin/bash
# Web servers on AWS from nothing, with a gate and with configuration over SSH, changed, tampered with, healed, destroyed; against an
# emulator, whose own answers are the witness. Then with signatures that are checked, and killed on its way.
. "${BASH_SOURCE%/*}/aws.sh"

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
