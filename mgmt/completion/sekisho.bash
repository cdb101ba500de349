# SPDX-License-Identifier: Apache-2.0
# Completion for sekisho(1): verbs, their options, files where files are wanted.
_sekisho() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb= i
	local globals="--json --lang --utc --socket --help --version"
	local verbs="check protocols compile diff prove ask who-can reach try replay learn journal status impact apply confirm rollback draft open shut doors isolate rejoin isolations release setup hardware backup restore history show effective register exceptions verify flows events explain clock user record preserve review report help"
	local options=

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--lang | --socket) i=$((i + 1)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $before in
	--lang)
		COMPREPLY=($(compgen -W "ja en" -- "$current"))
		return
		;;
	--to)
		if [ "$verb" = rollback ] || [ "$verb" = draft ]; then
			return
		elif [ "$verb" = backup ]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
		elif [ "$verb" = effective ]; then
			COMPREPLY=($(compgen -W "text json" -- "$current"))
		else
			COMPREPLY=($(compgen -W "nft json text sealed" -- "$current"))
		fi
		return
		;;
	--socket | --state | --key | --html | --csv | --facts | --journal | --output | -o | --policy | -p | --pcap | -r | --tags)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--take-interface)
		COMPREPLY=($(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$current"))
		return
		;;
	--verdict)
		COMPREPLY=($(compgen -W "allow deny observe" -- "$current"))
		return
		;;
	--severity)
		COMPREPLY=($(compgen -W "warning serious" -- "$current"))
		return
		;;
	--confirm | --after | --limit | --since | --conduit | --zone | --asset | --host | -n | --comment | --map | --generation | --revision | --base) return ;;
	esac
	case $verb in
	'') options=$verbs ;;
	help) options=$verbs ;;
	compile) options="--to --output" ;;
	protocols) options="--all" ;;
	replay) options="--policy --pcap --as-captured --as-box" ;;
	learn) options="--pcap --mirror --for --policy --tags" ;;
	apply) options="--confirm --dry-run --comment --take-over --take-interface" ;;
	confirm) options="--to" ;;
	rollback) options="--to --dry-run --comment --take-interface" ;;
	draft)
		options="--revision --base --to --confirm --dry-run --take-over --take-interface --comment"
		[ "$before" != draft ] || options="show save check try ask approve decline discard apply confirm rollback"
		;;
	open) options="--for --name --ticket --reason --agree" ;;
	shut) options="--reason" ;;
	doors) options="--reviewed --reason" ;;
	isolate) options="--rehearse --reason" ;;
	rejoin) options="--rehearse --reason --stage" ;;
	release) options="--all --state" ;;
	user)
		options="--full-name --reason --role --days --generate --key --from --certificate --label --login"
		[ "$before" != user ] || options="first add list show change disable enable remove password totp totp-remove unlock keys key-remove certificates certificate-add certificate-remove login-add login-remove recovery tokens token-add token-remove sessions logout roles approval approval-off approval-on leaked leaked-load leaked-remove"
		;;
	backup) options="--to --whole --verify --key --state --scheduled --due" ;;
	restore) options="--key --map --generation --confirm --dry-run --take-over --take-interface --into --whole --sha256 --replace --state" ;;
	effective) options="--to --picture --conduit --zone --asset --host" ;;
	verify | impact) options="--since" ;;
	flows) options="--conduit --zone --asset --host --limit" ;;
	events) options="--follow --after --limit --since --conduit --verdict --zone --asset --host --severity --kind --protocol --until --reason --command --value --eve" ;;
	devices) options="--new --accept --forget --reason --by --csv" ;;
	register)
		options="--csv --to --at"
		[ "$before" != register ] || options="zones assets conduits connections exceptions flows flows-it flows-ot due"
		;;
	exceptions) options="--csv --to --at" ;;
	attacks) options="--acknowledge --silence --minutes --test --reason --by" ;;
	preserve) options="--out --within --journal" ;;
	report) if [ "$before" = report ]; then options="controls incident audit opening organisation self-check"; else options="--html --csv --facts --journal --month --from --until --noticed --by --contact --follows --final"; fi ;;
	ask | who-can | reach | try) options="--policy --at" ;;
	review) options="--month --from --until --by --result --note --clause --next --evidence" ;;
	journal) if [ "$before" = journal ]; then options="verify checkpoint copy hold holds lift"; else options="--key --head --from --until --reason --by"; fi ;;
	esac
	if [[ $current == -* || -z $verb || $verb == help || $before == journal || $before == report || $before == user || $before == draft || $before == register ]]; then
		COMPREPLY=($(compgen -W "$options $globals" -- "$current"))
		[[ $current == -* ]] || COMPREPLY=($(compgen -W "$options" -- "$current"))
		return
	fi
	case $verb in
	check | compile | diff | prove | apply | draft | journal | setup | backup | restore)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	esac
}
complete -F _sekisho sekisho
