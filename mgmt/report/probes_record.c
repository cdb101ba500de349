/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of the record, of the box itself and of the people who use it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mgmt/report/answers.h"
#include "mgmt/report/probe.h"
#include "mgmt/state/read.h"

#define YEAR 365u  /* days; the least retention for the clauses in docs/controls */
#define HALF 190u  /* days between two tests of a restore */
#define MONTH 31u  /* days between two reviews of the records, backups or tests */
#define WHOLE 28u  /* days, those of the shortest month, that reviews have to cover without a gap */
#define SOURCES 3u /* time sources: with two, nobody can tell which one is wrong */

/* Whole days between two times of records, both in UTC. */
static long days_between(const char *before, const char *after)
{
	struct tm a = { 0 }, b = { 0 };

	if (strptime(before, "%Y-%m-%dT%H:%M:%S", &a) == NULL || strptime(after, "%Y-%m-%dT%H:%M:%S", &b) == NULL)
		return -1;
	return (long)((timegm(&b) - timegm(&a)) / 86400);
}

static bool is_recent(long days)
{
	return days >= 0 && days <= (long)MONTH;
}

void probe_admin_entry(const struct evidence *of, struct finding *f)
{
	const json_t *r = json_object_get(of->answer, "reach");
	size_t n = json_array_size(ja(r, "terminals"));

	if (!json_is_object(r))
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "reach", "");
	else if (!jb(r, "stands"))
		finding_say(f, VERDICT_NOT, M_PROBE_REACH_NOT);
	else if (jb(r, "anybody_enters"))
		finding_say(f, VERDICT_PARTLY, M_PROBE_ADMIN_ANYBODY);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ADMIN_TERMINALS, n, ju(r, "refused_in"));
}

void probe_admin_exit(const struct evidence *of, struct finding *f)
{
	const json_t *r = json_object_get(of->answer, "reach");
	size_t others = json_array_size(ja(r, "others"));

	if (!json_is_object(r))
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "reach", "");
	else if (!jb(r, "stands") || others > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_REACH_OTHERS, others);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ADMIN_PEERS, json_array_size(ja(r, "peers")), ju(r, "refused"));
}

void probe_clock_sources(const struct evidence *of, struct finding *f)
{
	const json_t *clock = json_object_get(of->answer, "clock"),
		     *peers = ja(json_object_get(of->answer, "reach"), "peers");
	size_t n = 0;

	json_each(p, peers)
		n += js_is(p, "use", "time");
	if (!jb(clock, "trusted"))
		finding_say(f, VERDICT_NOT, M_PROBE_CLOCK_NOT, n);
	else if (!jb(clock, "synchronised"))
		finding_say(f, n > 0 ? VERDICT_PARTLY : VERDICT_NOT, M_PROBE_CLOCK_FREE, n);
	else
		finding_say(f, n >= SOURCES ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_CLOCK, n);
}

void probe_log_server(const struct evidence *of, struct finding *f)
{
	const json_t *log = json_object_get(of->answer, "log");

	if (!json_is_object(log))
		finding_say(f, VERDICT_NOT, M_PROBE_NO_LOG_SERVER);
	else if (!jb(log, "sends"))
		finding_say(f, VERDICT_PARTLY, M_PROBE_LOG_SENDS_NOT, js(log, "server"));
	else if (!json_is_integer(json_object_get(log, "waiting")))
		finding_say(f, VERDICT_UNREAD, M_PROBE_LOG_UNKNOWN, js(log, "server"));
	else
		finding_say(f, ju(log, "waiting") == 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_LOG_SERVER,
			    js(log, "server"), ju(log, "last"), ju(log, "waiting"));
}

void probe_records_kept(const struct evidence *of, struct finding *f)
{
	const json_t *j = json_object_get(of->answer, "journal");
	unsigned long long keep = ju(j, "keep_days"), away = ju(j, "delete_after_days");

	if (json_object_get(j, "keep_days") == NULL)
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "journal", "");
	else if (keep == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NOT_KEPT);
	else
		finding_say(f, keep >= YEAR ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_KEPT, keep, away);
}

/* Purpose, responsible person and time of keeping records; readers are recorded in any case. */
void probe_records_stated(const struct evidence *of, struct finding *f)
{
	const json_t *r = json_object_get(json_object_get(of->answer, "site"), "records");

	if (r == NULL)
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "status", "");
	else if (!json_is_object(r))
		finding_say(f, VERDICT_NOT, M_PROBE_UNSTATED);
	else
		finding_say(f, VERDICT_MET, M_PROBE_STATED, js(r, "purpose"), js(r, "responsible"));
}

void probe_records_complete(const struct evidence *of, struct finding *f)
{
	const json_t *j = json_object_get(of->answer, "journal");
	unsigned long long lost = ju(j, "lost"), out = ju(j, "left_out"), waiting = ju(j, "waiting");

	if (json_object_get(j, "records") == NULL)
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "journal", "");
	else if (*js(j, "trouble") != '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_RECORDS_TROUBLE, js(j, "trouble"));
	else
		finding_say(f, lost + out + waiting > 0 ? VERDICT_PARTLY : VERDICT_MET, M_PROBE_RECORDS_COMPLETE,
			    ju(j, "records"), lost, out, waiting);
}

void probe_passed_recorded(const struct evidence *of, struct finding *f)
{
	const json_t *p = json_object_get(of->answer, "record_passed");

	if (!json_is_boolean(p))
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "effective", "");
	else
		finding_say(f, json_is_true(p) ? VERDICT_MET : VERDICT_PARTLY,
			    json_is_true(p) ? M_PROBE_PASSED : M_PROBE_NOT_PASSED);
}

void probe_records_signed(const struct evidence *of, struct finding *f)
{
	const json_t *j = json_object_get(of->answer, "journal");

	if (json_object_get(j, "signs") == NULL)
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "journal", "");
	else if (!jb(j, "signs"))
		finding_say(f, VERDICT_NOT, M_PROBE_SIGNS_NOT);
	else
		finding_say(f, ju(j, "signed_to") > 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_SIGNS, ju(j, "signed_to"),
			    ju(j, "unsigned_records"));
}

/* The devices beside the box, and whether somebody reviews new ones. */
void probe_devices_known(const struct evidence *of, struct finding *f)
{
	const json_t *d = ja(json_object_get(of->answer, "journal"), "devices");

	if (json_object_get(d, "listed") == NULL)
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "journal", "");
	else if (*js(d, "reviewed") == '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_DEVICES_NOT, ju(d, "listed"));
	else
		finding_say(f, ju(d, "new") + ju(d, "beyond") == 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_DEVICES,
			    ju(d, "listed"), ju(d, "new") + ju(d, "beyond"));
}

void probe_records_chain(const struct evidence *of, struct finding *f)
{
	const json_t *r = of->answer, *whole = json_object_get(r, "whole");
	char head[13];

	snprintf(head, sizeof(head), "%.12s", js(r, "head"));
	if (json_is_false(whole))
		finding_say(f, VERDICT_NOT, M_PROBE_CHAIN_BROKEN, ju(r, "faults"), ju(r, "first"), ju(r, "last"));
	else
		finding_say(f, json_is_true(whole) ? VERDICT_MET : VERDICT_PARTLY,
			    json_is_true(whole) ? M_PROBE_CHAIN : M_PROBE_CHAIN_OPEN, ju(r, "first"), ju(r, "last"),
			    head, ju(json_object_get(r, "signed"), "to"));
}

void probe_versions(const struct evidence *of, struct finding *f)
{
	const json_t *p = of->answer;
	const char *version = js(of->facts, "version"), *name = *js(p, "name") != '\0' ? js(p, "name") : "?",
		   *kernel = js(p, "kernel"), *made = js(of->facts, "made");
	const char *security = js(p, "security_until"), *lts = js(p, "lts_until");
	const char *last = *lts != '\0' ? lts : security;

	/* Support lasts to the end of that day. */
	if (*last == '\0')
		finding_say(f, VERDICT_PARTLY, M_PROBE_VERSIONS, version, name, kernel);
	else if (strncmp(made, last, strlen(last)) > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_VERSIONS_ENDED, version, name, kernel, last);
	else if (last == lts && strncmp(made, security, strlen(security)) > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_VERSIONS_LTS, version, name, kernel, security, lts);
	else
		finding_say(f, VERDICT_MET, M_PROBE_VERSIONS_UNTIL, version, name, kernel, last);
}

/* Both the comparison and its list have to be of the last month. */
void probe_parts_compared(const struct evidence *of, struct finding *f)
{
	const struct deeds *d = of->deeds;
	const char *made = js(of->facts, "made");
	char day[40];

	snprintf(day, sizeof(day), "%.10sT00:00:00", d->parts_found);
	if (d->parts[0] == '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_PARTS_NOT);
	else if (d->parts_vulnerable)
		finding_say(f, VERDICT_PARTLY, M_PROBE_PARTS_VULNERABLE, d->parts, d->parts_found);
	else
		finding_say(f,
			    is_recent(days_between(d->parts, made)) && is_recent(days_between(day, made))
				    ? VERDICT_MET
				    : VERDICT_PARTLY,
			    M_PROBE_PARTS, d->parts, d->parts_found);
}

void probe_changes_named(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "history");
	size_t n = json_array_size(list), nameless = 0, said = 0;

	json_each(g, list) {
		nameless += *js(g, "by") == '\0';
		said += *js(g, "comment") != '\0';
	}
	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_CHANGES);
	else
		finding_say(f, nameless > 0 ? VERDICT_PARTLY : VERDICT_MET, M_PROBE_CHANGES, n, n - nameless, said);
}

void probe_accounts_named(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "accounts");
	struct names bare = { 0 };
	size_t n = json_array_size(list);

	json_each(a, list)
		if (*js(a, "full_name") == '\0' || *js(a, "reason") == '\0' || *js(a, "since") == '\0')
			finding_name(&bare, js(a, "name"));
	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_ACCOUNTS);
	else if (bare.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_ACCOUNTS_BARE, bare.n, n, bare.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ACCOUNTS_NAMED, n);
}

void probe_accounts_used(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "accounts");
	struct names unused = { 0 };
	size_t n = json_array_size(list);

	json_each(a, list)
		if (jb(a, "unused") && !jb(a, "disabled"))
			finding_name(&unused, js(a, "name"));
	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_ACCOUNTS);
	else if (unused.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_ACCOUNTS_UNUSED, unused.n, n, unused.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ACCOUNTS_USED, n);
}

/* The rules for passphrases are the program's; leaked ones are refused by the list that root has
 * loaded. */
void probe_phrases_refused(const struct evidence *of, struct finding *f)
{
	const json_t *l = json_object_get(of->answer, "leaked");

	if (ju(l, "count") > 0)
		finding_say(f, VERDICT_MET, *js(l, "by") != '\0' ? M_PROBE_PHRASES_LEAKED : M_PROBE_PHRASES_LEAKED_ONCE,
			    ju(l, "count"), js(l, "since"), js(l, "by"));
	else if (jb(l, "damaged"))
		finding_say(f, VERDICT_PARTLY, M_PROBE_PHRASES_DAMAGED);
	else
		finding_say(f, VERDICT_MET, M_PROBE_PHRASES);
}

static bool has_role(const json_t *account, const char *role)
{
	json_each(v, ja(account, "roles"))
		if (json_is_string(v) && strcmp(json_string_value(v), role) == 0)
			return true;
	return false;
}

/* The author of a policy should not approve it, and the manager of accounts should not use them. */
void probe_duties_apart(const struct evidence *of, struct finding *f)
{
	static const char *const apart[][2] = { { "ot_author", "approver" },
						{ "account_manager", "it_operator" },
						{ "account_manager", "auditor" },
						{ "it_operator", "auditor" } };
	const json_t *list = ja(of->answer, "accounts");
	struct names both = { 0 };
	size_t n = 0, auditors = 0;

	json_each(a, list) {
		bool found = false;

		if (jb(a, "disabled"))
			continue;
		n++;
		auditors += has_role(a, "auditor");
		for (size_t k = 0; k < sizeof(apart) / sizeof(apart[0]); k++)
			found |= has_role(a, apart[k][0]) && has_role(a, apart[k][1]);
		if (found)
			finding_name(&both, js(a, "name"));
	}
	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_ACCOUNTS);
	else if (both.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_DUTIES_TOGETHER, both.n, n, both.text);
	else
		finding_say(f, auditors > 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_DUTIES, n, auditors);
}

void probe_tokens_end(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "tokens");
	size_t n = json_array_size(list), endless = 0, expired = 0;

	json_each(t, list) {
		endless += *js(t, "until") == '\0';
		expired += jb(t, "expired");
	}
	finding_say(f, endless > 0 ? VERDICT_NOT : VERDICT_MET, M_PROBE_TOKENS, n, endless, expired);
}

static bool is_reviewed(const struct deeds *d, const char *time)
{
	for (size_t i = 0; i < d->n_reviewed; i++)
		if (strcmp(d->reviewed[i].from, time) <= 0 && strcmp(time, d->reviewed[i].until) < 0)
			return true;
	return false;
}

/* Root can apply a policy at the machine without an approval. That is on record, and counts as seen
 * by a second person when somebody has reviewed the records of that time. */
void probe_two_persons(const struct evidence *of, struct finding *f)
{
	const json_t *a = json_object_get(of->answer, "approval");
	const struct deeds *d = of->deeds;
	struct names by = { 0 };
	size_t unseen = d->n_alone;

	for (size_t i = 0; i < d->n_alone && i < DEEDS_ALONE; i++) {
		if (strstr(by.text, d->alone[i].by) == NULL)
			finding_name(&by, d->alone[i].by);
		unseen -= is_reviewed(d, d->alone[i].time);
	}

	if (!json_is_boolean(json_object_get(a, "two_persons")))
		finding_say(f, VERDICT_UNREAD, M_PROBE_UNREAD, "approval", "");
	else if (jb(a, "two_persons"))
		finding_say(f, d->approved > 0 && unseen == 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_TWO_PERSONS,
			    d->approved, d->n_alone, by.n > 0 ? by.text : "-", unseen);
	else
		finding_say(f, VERDICT_NOT, M_PROBE_ONE_PERSON, js(a, "by"), js(a, "since"), js(a, "reason"));
}

void probe_backup_age(const struct evidence *of, struct finding *f)
{
	long age = days_between(of->deeds->backup, js(of->facts, "made"));

	if (of->deeds->backup[0] == '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_NO_BACKUP);
	else
		finding_say(f, is_recent(age) ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_BACKUP, of->deeds->backup, age);
}

/* How long ago something was done that has to be done within so many days. */
static void deed_look(const struct evidence *of, const char *done, unsigned days, enum message never, enum message last,
		      struct finding *f)
{
	long age = days_between(done, js(of->facts, "made"));

	if (*done == '\0')
		finding_say(f, VERDICT_NOT, never);
	else
		finding_say(f, age >= 0 && age <= (long)days ? VERDICT_MET : VERDICT_PARTLY, last, done, age);
}

void probe_backup_tried(const struct evidence *of, struct finding *f)
{
	deed_look(of, of->deeds->tried, HALF, M_PROBE_BACKUP_UNTRIED, M_PROBE_BACKUP_TRIED, f);
}

void probe_rehearsed(const struct evidence *of, struct finding *f)
{
	deed_look(of, of->deeds->rehearsed, YEAR, M_PROBE_UNREHEARSED, M_PROBE_REHEARSED, f);
}

void probe_backup_elsewhere(const struct evidence *of, struct finding *f)
{
	const json_t *carried = ja(json_object_get(of->answer, "backup"), "carried");
	size_t n = json_array_size(carried), late = 0;

	json_each(c, carried)
		late += jb(c, "overdue") || *js(c, "last") == '\0';
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_BACKUP_HERE);
	else
		finding_say(f, late == 0 ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_BACKUP_ELSEWHERE, n, late);
}

void probe_isolations_prepared(const struct evidence *of, struct finding *f)
{
	size_t n = json_array_size(ja(of->answer, "prepared"));

	finding_say(f, n > 0 ? VERDICT_MET : VERDICT_NOT, n > 0 ? M_PROBE_PREPARED : M_PROBE_UNPREPARED, n);
}

/* Whether alarms reach somebody who does not look at the box: by mail or SNMP. */
void probe_alarms_sent(const struct evidence *of, struct finding *f)
{
	const json_t *mail = json_object_get(of->answer, "mail");
	size_t snmp = 0;

	json_each(p, ja(json_object_get(of->answer, "reach"), "peers"))
		snmp += js_is(p, "use", "snmp");
	if (!json_is_object(mail) && snmp == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_ALARMS_STAY);
	else
		finding_say(f, !json_is_object(mail) || js_is(mail, "state", "good") ? VERDICT_MET : VERDICT_PARTLY,
			    M_PROBE_ALARMS_SENT, json_is_object(mail) ? js(mail, "state") : "-", snmp);
}

/* What counts as a second factor beside the passphrase; an image has a login at its
 * console, too. */
void probe_factors(const struct evidence *of, struct finding *f)
{
	const char *console = js(facts_answer(of->facts, "platform"), "console");
	struct names bare = { 0 };
	size_t n = 0, keys = 0, codes = 0;

	json_each(a, ja(of->answer, "accounts")) {
		bool key = json_array_size(ja(a, "keys")) > 0;

		if (jb(a, "disabled"))
			continue;
		n++;
		keys += key;
		codes += jb(a, "totp");
		if (!key && !jb(a, "totp"))
			finding_name(&bare, js(a, "name"));
	}
	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_ACCOUNTS);
	else if (bare.n > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_FACTOR_LACKS, bare.n, n, bare.text);
	else if (*console != '\0' && strcmp(console, "factor") != 0)
		finding_say(f, VERDICT_PARTLY,
			    strcmp(console, "passphrase") == 0 ? M_PROBE_FACTORS_BARE : M_PROBE_FACTORS_UNREAD, n, keys,
			    codes);
	else
		finding_say(f, VERDICT_MET, *console != '\0' ? M_PROBE_FACTORS_CONSOLE : M_PROBE_FACTORS, n, keys,
			    codes);
}

void answer_look(const struct deed_answer *a, const char *made, unsigned long long days, struct finding *f)
{
	bool over =
		strncmp(made, a->next, strlen(a->next)) >= 0 || (days > 0 && days_between(a->time, made) > (long)days);

	finding_say(f,
		    over      ? VERDICT_ASK
		    : a->good ? VERDICT_MET
			      : VERDICT_NOT,
		    over      ? M_ANSWER_OVER
		    : a->good ? M_ANSWER_GOOD
			      : M_ANSWER_FOUND,
		    a->by, a->time, a->next, *a->digest != '\0' ? a->digest : "-", a->note);
}

void probe_alarms_tested(const struct evidence *of, struct finding *f)
{
	const struct deeds *d = of->deeds;
	long age = days_between(d->alarms_tested, js(of->facts, "made"));

	if (d->alarms_tested[0] == '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_ALARMS_UNTESTED);
	else if (!d->alarms_rang)
		finding_say(f, VERDICT_NOT, M_PROBE_ALARMS_SILENT, d->alarms_tested);
	else
		finding_say(f, is_recent(age) ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_ALARMS_TESTED, d->alarms_tested,
			    age);
}

/* Whether reviews cover the last month of records that anybody reviewed, without a gap, and that
 * month is not long ago. On a younger box, all records before are enough. */
static bool is_reviewed_whole(const struct deeds *d, const char *made)
{
	char reached[40] = "", until[40] = "";
	struct tm tm = { 0 };
	bool grown = true;
	time_t t;

	for (size_t i = 0; i < d->n_reviewed; i++)
		if (strcmp(d->reviewed[i].until, until) > 0)
			snprintf(until, sizeof(until), "%s", d->reviewed[i].until);
	if (strptime(until, "%Y-%m-%dT%H:%M:%S", &tm) == NULL || days_between(until, made) > 2 * (long)MONTH)
		return false;
	t = timegm(&tm) - (time_t)WHOLE * 86400;
	if (gmtime_r(&t, &tm) == NULL || strftime(reached, sizeof(reached), "%Y-%m-%dT%H:%M:%S.000Z", &tm) == 0)
		return false;
	if (strcmp(d->first, reached) > 0)
		snprintf(reached, sizeof(reached), "%s", d->first);
	while (grown && strcmp(reached, until) < 0) {
		grown = false;
		for (size_t i = 0; i < d->n_reviewed; i++)
			if (strcmp(d->reviewed[i].from, reached) <= 0 && strcmp(d->reviewed[i].until, reached) > 0) {
				snprintf(reached, sizeof(reached), "%s", d->reviewed[i].until);
				grown = true;
			}
	}
	return strcmp(reached, until) >= 0;
}

void probe_records_reviewed(const struct evidence *of, struct finding *f)
{
	long age = days_between(of->deeds->review, js(of->facts, "made"));

	if (of->deeds->review[0] == '\0')
		finding_say(f, VERDICT_NOT, M_PROBE_NO_REVIEW);
	else if (!is_reviewed_whole(of->deeds, js(of->facts, "made")))
		finding_say(f, VERDICT_PARTLY, M_PROBE_REVIEW_PARTLY, of->deeds->review, of->deeds->review_by, age);
	else
		finding_say(f, is_recent(age) ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_REVIEW, of->deeds->review,
			    of->deeds->review_by, age);
}

/* Whether a conduit allows TLS, and declares its servers. */
static bool takes_tls(const json_t *permits, const char *conduit, bool *ret_declares)
{
	bool found = false;

	*ret_declares = false;
	json_each(p, permits) {
		json_each(g, ja(p, "grants")) {
			if (!js_is(g, "protocol", "tls") || !js_is(g, "conduit", conduit))
				continue;
			found = true;
			*ret_declares = *ret_declares || declares_servers(p, g);
		}
	}
	return found;
}

void probe_services_declared(const struct evidence *of, struct finding *f)
{
	const json_t *effective = of->answer;
	size_t all = 0, declare = 0;

	json_each(c, ja(effective, "conduits")) {
		bool declares;

		all += takes_tls(ja(effective, "permits"), js(c, "name"), &declares);
		declare += declares;
	}
	if (declare == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_SERVICES_NONE, all);
	else if (of->deeds->undeclared > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_SERVICES_SEEN, declare, all, of->deeds->undeclared,
			    of->deeds->undeclared_conduit);
	else
		finding_say(f, declare == all ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_SERVICES, declare, all);
}

void probe_tls_seen(const struct evidence *of, struct finding *f)
{
	if (of->deeds->weak_tls > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_TLS_WEAK, of->deeds->weak_tls, of->deeds->weak_conduit);
	else
		finding_say(f, VERDICT_MET, M_PROBE_TLS, of->deeds->lesser_tls);
}
