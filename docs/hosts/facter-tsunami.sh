#!/bin/sh
# /etc/puppetlabs/facter/facts.d/tsunami.sh, executable: $facts['tsunami']['docker'] in Puppet.
values=$(cat "${TSUNAMI_FILE:-/var/lib/tsunami/values.json}") || exit 1
printf '{"tsunami": %s}\n' "$values"
