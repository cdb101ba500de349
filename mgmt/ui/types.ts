// SPDX-License-Identifier: Apache-2.0
// The API's answers (docs/json.md), as far as the pages read them. Any part of a status may be
// missing: a role that is away tells nothing.

export type Lang = "ja" | "en";
export type Stand = "no_policy" | "unwatched" | "uninspected" | "unrecorded" | "partly" | "faulty" | "alarmed" | "waiting" | "good";

export interface Refusal {
	who: "kernel" | "workers";
	reason: string;
	packets: number;
	text: string;
}
export interface Words {
	sentence: string;
	headline: string;
	faults: string[];
	listed: boolean;
	trouble: string | null;
	clock: string;
	refused: Refusal[];
	unjudged: Refusal[];
}
export interface Counters {
	packets?: number;
	bytes?: number;
	errors?: number;
	dropped?: number;
}
export interface Interface {
	name?: string;
	device?: string;
	space?: "data" | "admin";
	zones?: { name?: string; label?: string; assets?: { name?: string; label?: string }[]; assets_all?: number }[];
	link?: string;
	addresses?: string[];
	card?: { device?: string; vlan?: number; link?: string };
	rx?: Counters;
	tx?: Counters;
}
export interface Role {
	role?: string;
	index?: number;
	kind?: string;
	pid?: number;
	state?: string;
	restarts?: number;
	since?: string;
}
export interface Worker {
	index?: number;
	kind?: string;
	packets?: number;
	dropped?: number;
	resets?: number;
	flows?: number;
	flows_max?: number;
	latency?: { criticality?: string; p50_us?: number; p99_us?: number; max_us?: number }[];
}
export interface Queue {
	outstanding?: number;
	dropped_full?: number;
	dropped_user?: number;
}
export interface Gate {
	hung?: number;
	overdue?: number;
	starved_ms?: number;
}
export interface Isolated {
	what: string;
	label: string;
	by: string;
	reason: string;
	since: string;
	keep?: string[];
	stage?: "reads"; // conduits that only read go on again
}
/** A machine of an OT zone: when it was last heard, and how many packets a minute it sends. */
export interface Machine {
	name: string;
	label: string;
	zone: string;
	last: string | null;
	silent: boolean;
	a_minute: number;
	usual: number; // 0: not known yet
}
/** An isolation that the policy has prepared under a name. */
export interface Prepared {
	name: string;
	label: string;
	cut: string[];
	keep: string[];
}
/** One end of a conduit: machines by name; none means the whole zone. */
export interface End {
	zone: string;
	label: string;
	hosts: string[];
	hosts_all: number;
}
export interface DoorUse {
	opening: number;
	ended: string | null;
	note_owed: boolean;
	since: string;
	until: string;
	by: string;
	account: string;
	second: string;
	person: string;
	ticket: string;
	reason: string;
	open: boolean;
	unreviewed: boolean;
}
/** A first person's request to open a door; "request" names all of it. */
export interface Asked {
	request: string;
	until: string;
	by: string;
	account: string;
	person: string;
	ticket: string;
	reason: string;
	for_s: number;
}
export interface Door {
	door: string;
	label: string;
	organisation: string;
	organisation_label: string;
	contacts: string[];
	open: boolean;
	at_most_s: number;
	opened_by: string[];
	needs: ("name" | "ticket" | "reason")[];
	second_person: boolean;
	break_glass: boolean;
	asked: Asked | null;
	uses: DoorUse[];
	conduits: { conduit: string; label: string; from: End; to: End; services: { service: string; protocol: string; commands: string[] | null }[] }[];
	conduits_all: number;
}
/** A program that sends alarms. */
export interface Outlet {
	server?: string;
	state?: "good" | "failing" | "away";
	since?: string | null;
	waiting?: number;
	why?: string | null;
}
export interface Status {
	/** A draft that waits for approval or to be applied. */
	draft?: { state: "asked" | "approved"; revision: number; by: string; authors: string[]; saved: string | null } | null;
	doors?: Door[] | null;
	windows?: { window: string; label: string; open: boolean; until: string | null; opens: string | null; conduits: number }[] | null;
	isolations?: Isolated[];
	expected?: { machines?: Machine[] };
	prepared?: Prepared[];
	site?: { name?: string; label?: string; contact?: string; time_zone?: string; records?: { purpose: string; responsible: string } | null };
	generation?: { number?: number; digest?: string; state?: string; applied?: string; confirm_by?: string | null; by?: string | null; unheard?: { kind: string; name: string; label: string }[] };
	changes?: { number?: number; applied?: string; by?: string; state?: string; changed?: string; changed_by?: string | null }[];
	drift?: { seen?: number; last?: string | null };
	busy?: boolean;
	roles?: Role[];
	silent?: { role?: string; index?: number }[];
	workers?: Worker[];
	queues?: Queue[];
	gates?: Gate[];
	interfaces?: Interface[] | null;
	tracking?: { sessions?: number; most?: number };
	kernel?: { forwarding?: boolean };
	journal?: {
		records?: number; last?: string; lost?: number; keep_days?: number; delete_after_days?: number; waiting?: number; left_out?: number;
		attacks?: { acknowledged?: number; silenced?: number };
		disk?: { bytes?: number; free?: number; records_bytes?: number; used_percent?: number; nearly_full?: boolean; full_in_s?: number | null } | null;
		holds?: number; held?: boolean; holds_damaged?: boolean; stuck?: boolean; trouble?: string | null; head?: string; signs?: boolean; signed_to?: number; unsigned_records?: number;
	};
	clock?: { time?: string; trusted?: boolean; synchronised?: boolean; since?: string | null; sources?: boolean; waiting?: string[] };
	log?: { server?: string; sends?: boolean; waiting?: number | null; since?: string | null; last?: number } | null;
	mail?: Outlet | null;
	snmp?: Outlet | null;
	backup?: { carried?: { to: "stick" | "server"; every: number; last: string | null; since: string; overdue: boolean; why: string | null }[] } | null;
	mgmt?: { token?: "kept" | "anew" | "none" };
	ups?: { name?: string; server?: string; state?: string; since?: string | null; away_since?: string | null; charge?: number | null; runtime?: number | null } | null;
	certificates?: {
		use?: string; file?: string | null; state?: string; why?: string | null; since?: string | null; certificates?: number;
		list?: { subject?: string; from?: string; until?: string; sha256?: string }[];
	}[];
	partition?: { stands?: boolean; why?: { en?: string; ja?: string } | null; parsers?: { memory?: number; most?: number; ended?: number }; guard?: { kept?: number } };
}
export interface Line {
	carrier?: string;
	service?: string;
	place?: string;
}
export interface Zone {
	name?: string;
	label?: string;
	class?: string;
	owner?: string;
	lines?: Line[];
}
export interface Asset {
	name?: string;
	label?: string;
	zone?: string;
	model?: string;
	place?: string;
	support_until?: string;
	addresses?: string[];
}
export interface Organisation {
	name?: string;
	label?: string;
	zone?: string;
	contract_until?: string | null;
	contacts?: { contact?: string }[];
}
export interface Conduit {
	name?: string;
	label?: string;
	from?: string;
	to?: string;
	mode?: string;
	purpose?: string;
	owner?: string;
	approved_by?: string;
	review_by?: string | null;
	until?: string | null;
	door?: string | null;
	accept?: { warning?: string; reason?: string }[];
	exception?: { applicant?: string; reason?: string; instead?: string; rule?: string; effect?: string; approved_by?: string; report?: string }[];
	heard_within_s?: number | null;
	last_heard?: string | null;
	silent_since?: string | null;
	last_match?: string | null;
	watched_since?: string | null;
	unwatched?: Unwatched[];
	observed?: Observed | null;
	file?: string;
	line?: number;
}
/** A time during which uses were not watched. */
export interface Unwatched {
	since: string;
	until: string;
}
/** For an observing conduit: since when, and what it would have refused. */
export interface Observed {
	since: string;
	last: string | null;
	would_refuse: number;
	reasons: { reason: string; count: number; en: string; ja: string }[];
	unwatched: Unwatched[];
	clean_s: number;
}
export interface Cell {
	conduits?: string[];
	permit?: number;
	source?: string;
	source_asset?: string;
	source_label?: string;
	destination?: string;
	destination_asset?: string;
	destination_label?: string;
	protocol?: string;
	ports?: string;
	until?: string | null;
	packets?: number;
	file?: string;
	line?: number;
}
export interface Effective {
	generation?: { digest?: string; number?: number };
	// the rules of a former generation, and the time during which they were in force
	as_it_was?: { since?: string; until?: string | null };
	tables_digest?: string | null;
	host?: string;
	time?: string;
	site?: { name?: string; label?: string; contact?: string };
	zones?: Zone[];
	conduits?: Conduit[];
	assets?: Asset[];
	organisations?: Organisation[];
	cells?: Cell[];
	permits?: { permit?: number; weak_tls?: string; grants?: { conduit?: string; protocol?: string; whole?: boolean; shadow?: boolean; commands?: string[] | null; rows?: Record<string, unknown>[] }[] }[];
}
export interface Verified {
	equal: boolean;
	generation?: number;
	differences?: { where?: string; what?: string; detail?: string; line?: number; want?: string }[];
	packets_asked?: number;
	workers?: { index?: number; kind?: string; equal?: boolean }[];
}
export interface Device {
	number: number;
	state: "known" | "listed" | "unknown" | "elsewhere" | "address_moved";
	mac: string;
	mac_chosen: boolean; // chosen by the device itself, as many telephones do
	addresses: string[];
	interface: string;
	zone: string | null;
	first: string;
	last: string;
	reviewed: string | null;
	by: string | null; // the login
	person: string | null; // the person who answers for it
	reason: string | null;
}
export interface Devices {
	devices: Device[];
	learning: boolean; // nobody has reviewed the list yet
	// why the list was begun anew
	anew: "first" | "gone" | "unreadable" | "other_form" | "restored" | null;
	beyond: number;
	last: number; // the last number that was given
}
export interface Account {
	name: string;
	full_name?: string;
	reason?: string;
	by?: string;
	roles?: string[];
	since?: string;
	last_use?: string | null;
	disabled?: boolean;
	disabled_since?: string;
	disabled_by?: string;
	unused?: boolean;
	passphrase_since?: string;
	handed_out_until?: string | null;
	recovery_codes?: number;
	totp?: boolean;
	keys?: { label: string }[];
	certificates?: { label: string }[];
	sessions?: number;
	locks?: { from: string; until: string }[];
	seen?: string;
}
/** A security key of the person who is signed in. */
export interface OwnKey {
	label: string;
	id: string;
	kind: string;
	since: string;
	last_use: string | null;
}

/**
 * A client certificate of the person who is signed in. Root adds it at the machine; root or an
 * account manager removes it.
 */
export interface OwnCertificate {
	label: string;
	since: string;
	until: string;
	last_use: string | null;
	expired: boolean;
}

/** The answer of /api/v1/me about a person. */
export interface Own {
	name: string;
	handle: string;
	totp: boolean;
	recovery_codes: number;
	keys: OwnKey[];
	certificates: OwnCertificate[];
}

export interface Token {
	id: string;
	label?: string;
	by?: string;
	roles?: string[];
	since?: string;
	until?: string | null;
	last_use?: string | null;
	expired?: boolean;
}
/** A recorded event, as far as the pages read it. */
export interface Told extends Said {
	seq: number;
	kind?: string;
	code?: string;
	protocol?: string;
	needs?: string; // beside a refused command: the row of `allow` that lets it pass
	verdict?: string;
	severity?: string;
	reason?: string;
	client?: string;
	client_zone?: string;
	server?: string;
	server_zone?: string;
	transport?: string;
	icmp_type?: number;
	icmp_code?: number;
	conduit?: string;
	count?: number;
	time?: string;
	came?: number; // when it came to this page, by this machine's clock
}
/** The rules' counters at one moment: packets that opened sessions, by conduit. */
export interface Flow {
	time?: string;
	came?: number; // when, by this machine's clock
	digest?: string;
	conduits: Record<string, number>;
}
/** A change of the policy: the generation, and whether it was a rollback. */
export interface Mark {
	time: string;
	generation: number;
	back: boolean;
}
export interface Trends {
	by: "hour" | "day";
	since: string;
	step_s: number;
	steps: number;
	begun: string;
	kept_days: number;
	series: { what: "sessions" | "refused" | "zone_refused" | "serious" | "inspected" | "p99_us" | "carried"; of: string | null; values: number[] }[];
	marks: Mark[];
}
/** The list of leaked passphrases that root has loaded; count 0 = none. */
export interface Leaked {
	count: number;
	since: string | null;
	by: string | null;
	damaged: boolean;
}
/** Progress of a question that this browser has asked; 0 = unknown. */
export interface Progress {
	ask: number;
	stage: string;
	done: number;
	of: number;
	entries: number;
}
export interface State {
	version: string;
	stand: Stand;
	ja: Words;
	en: Words;
	alarms: { key: string; grave: boolean; since: string; seen: string | null; en: string; ja: string; machines: string[]; step: Said | null }[];
	lines: { title: Said; grave: boolean; since: string; step: Said | null; machines: string[]; sources: string[]; offers: string[]; keys: string[] }[];
	status: Status;
}

// ---- changes ------------------------------------------------------------------------------------

export interface Attack extends Said {
	number: number;
	attack: string;
	state: "ringing" | "acknowledged" | "silenced";
	from: string;
	to: string;
	count: number;
	last: string;
	acknowledged: string | null;
	silent_until: string | null;
	person: string;
	reason: string;
}

export interface Said {
	ja: string;
	en: string;
}
export interface Text {
	name: string;
	text: string;
}
export interface Diagnostic {
	severity: "error" | "warning";
	code: string;
	file: string | null;
	line: number;
	column: number;
	width: number;
	words?: Record<Lang, { message: string; hint: string }>;
}
export interface Cut {
	client: string;
	server: string;
	conduit?: string;
	client_label?: string;
	server_label?: string;
	reason?: string;
	commands?: { function_name?: string; place?: string; count: number; reason?: string }[];
}
/**
 * What becomes possible or impossible, in the box's words, and where; behind these, each setting
 * that differs.
 */
export interface Meant {
	kind: "packets" | "commands" | "treated" | "limits" | "settings";
	text: Said;
	places: { source: string; destination: string; protocol: string; ports: string }[];
	more_places?: number;
}
/** The result of an operation, dry or not. */
export interface Outcome {
	done: boolean;
	error?: Said | null;
	notice?: Said | null;
	diagnostics?: Diagnostic[];
	meaning?: Meant[] | null;
	more_meaning?: number;
	cut?: Cut[];
	cut_more?: number;
	narrowed?: Cut[];
	go_on?: number;
	unknown?: number;
	shut_out?: { terminals: string[]; others: boolean; addresses: string[]; nobody: boolean };
	taking?: { interface: string; device: string; sessions: unknown[]; agreed: boolean }[];
	draft?: Draft;
}
export interface Draft {
	state: "none" | "draft" | "asked" | "approved" | "applied";
	revision: number;
	base: number;
	in_force: number;
	on_trial: number;
	generation: number | null;
	authors: string[];
	by: string | null;
	saved: string | null;
	comment: string | null;
	decided_by: string | null;
	decided: string | null;
	decision: string | null;
	/** The approval holds for one more try, because the trial of this generation ran out. */
	ran_out: number | null;
	tried: { good: boolean; current: boolean; base: number; at: string; answer: Outcome } | null;
}
export interface Generation {
	number: number;
	state: "confirmed" | "reverted" | "waiting";
	applied: string;
	by: string | null;
	comment: string | null;
	meaning: Said | null;
	in_force: boolean;
	one_step: boolean;
	why?: string;
	changed?: string;
	changed_by?: string | null;
}
