/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of what is in force. */
#include <stdio.h>
#include <string.h>

#include "mgmt/report/probe.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/stand.h"

#define DAY 10u /* characters of a day, "2027-03-31" */

static const char *class_of(const json_t *effective, const char *zone)
{
	return js(json_find(ja(effective, "zones"), "name", zone), "class");
}

void probe_stands(const struct evidence *of, struct finding *f)
{
	const json_t *status = of->answer;
	json_t *faults = faults_find(status, LANG_EN), *alarms = alarms_find(status);
	enum stand stand = stand_of(status, faults, alarms);

	if (stand == STAND_GOOD)
		finding_say(f, VERDICT_MET, M_PROBE_STANDS, ju(json_object_get(status, "generation"), "number"));
	else if (stand >= STAND_PARTLY)
		finding_say(f, VERDICT_PARTLY, M_PROBE_STANDS_PARTLY, stand_word(stand),
			    stand == STAND_ALARMED ? stand_grave(alarms) : json_array_size(faults));
	else
		finding_say(f, VERDICT_NOT, M_PROBE_STANDS_NOT, stand_word(stand));
	json_decref(alarms);
	json_decref(faults);
}

void probe_rules_hold(const struct evidence *of, struct finding *f)
{
	const json_t *v = of->answer;
	size_t differences = json_array_size(ja(v, "differences"));

	if (jb(v, "equal") && differences == 0 && ju(v, "packets_asked") > 0)
		finding_say(f, VERDICT_MET, M_PROBE_RULES_HOLD, ju(v, "generation"), ju(v, "packets_asked"));
	else
		finding_say(f, VERDICT_NOT, M_PROBE_RULES_DIFFER, ju(v, "generation"), differences);
}

void probe_untouched(const struct evidence *of, struct finding *f)
{
	const json_t *s = of->answer;
	size_t now = json_array_size(ja(s, "surroundings")) + json_array_size(ja(s, "foreign")) +
		     json_array_size(ja(s, "settings"));
	unsigned long long seen = ju(json_object_get(s, "drift"), "seen");

	if (now > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_TOUCHED_NOW, now, seen);
	else
		finding_say(f, seen > 0 ? VERDICT_PARTLY : VERDICT_MET, seen > 0 ? M_PROBE_TOUCHED : M_PROBE_UNTOUCHED,
			    seen);
}

void probe_conduits_answered_for(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "conduits");
	struct names without = { 0 };
	size_t n = json_array_size(list), approved = 0;

	json_each(c, list) {
		if (*js(c, "owner") == '\0' || *js(c, "purpose") == '\0' || *js(c, "review_by") == '\0')
			finding_name(&without, js(c, "name"));
		approved += *js(c, "approved_by") != '\0';
	}
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else if (without.n > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_CONDUITS_WITHOUT, without.n, n, without.text);
	else
		finding_say(f, approved == n ? VERDICT_MET : VERDICT_PARTLY, M_PROBE_CONDUITS_ANSWERED, n, approved);
}

void probe_reviews_due(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "conduits");
	struct names late = { 0 };
	char today[DAY + 1];
	size_t n = json_array_size(list);

	snprintf(today, sizeof(today), "%.10s", js(of->facts, "made"));
	json_each(c, list)
		if (strcmp(js(c, "review_by"), today) < 0)
			finding_name(&late, js(c, "name"));
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else if (late.n > 0)
		finding_say(f, late.n == n ? VERDICT_NOT : VERDICT_PARTLY, M_PROBE_REVIEWS_LATE, late.n, n, late.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_REVIEWS_DUE, n);
}

/* "vendor-looks (2026-10-01 09:00 JST)": since when it was not used. */
static void add_unused(struct names *to, const json_t *conduit)
{
	char since[RENDER_TEXT], text[RENDER_TEXT * 3];

	render_time(js(conduit, "watched_since"), since);
	snprintf(text, sizeof(text), "%s (%s)", js(conduit, "name"), *since != '\0' ? since : "-");
	finding_name(to, text);
}

void probe_conduits_used(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "conduits");
	struct names unused = { 0 }, unknown = { 0 };
	size_t n = json_array_size(list);

	json_each(c, list) {
		if (*js(c, "last_match") != '\0')
			continue;
		add_unused(&unused, c);
		if (*js(c, "watched_since") == '\0' || json_array_size(ja(c, "unwatched")) > 0)
			finding_name(&unknown, js(c, "name"));
	}
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else if (unknown.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_CONDUITS_UNWATCHED, unused.n, n, unused.text, unknown.n,
			    unknown.text);
	else if (unused.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_CONDUITS_UNUSED, unused.n, n, unused.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_CONDUITS_USED, n);
}

void probe_enforced(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "conduits");
	struct names observing = { 0 };
	size_t n = json_array_size(list);

	json_each(c, list)
		if (!js_is(c, "mode", "enforce"))
			finding_name(&observing, js(c, "name"));
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else if (observing.n > 0)
		finding_say(f, observing.n == n ? VERDICT_NOT : VERDICT_PARTLY, M_PROBE_OBSERVED, observing.n, n,
			    observing.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ENFORCED, n);
}

struct grants {
	size_t n, rows; /* all grants; those that name single commands */
	struct names whole;
};

/* Counts the grants of conduits into zones of this class. A conduit that only observes lets
 * everything pass, and a shadow grants nothing. */
static void grants_count(const json_t *effective, const char *class, struct grants *ret)
{
	const json_t *permits = ja(effective, "permits");

	json_each(p, permits) {
		json_each(g, ja(p, "grants")) {
			const char *conduit = js(g, "conduit");
			const json_t *c = json_find(ja(effective, "conduits"), "name", conduit);
			bool whole = jb(g, "whole") || js_is(c, "mode", "observe");

			if (jb(g, "shadow") || strcmp(class_of(effective, js(c, "to")), class) != 0)
				continue;
			ret->n++;
			ret->rows += !whole;
			if (whole && strstr(ret->whole.text, conduit) == NULL)
				finding_name(&ret->whole, conduit);
		}
	}
}

void probe_commands_into_ot(const struct evidence *of, struct finding *f)
{
	struct grants g = { 0 };

	grants_count(of->answer, "ot", &g);
	if (g.n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_OT);
	else if (g.rows == g.n)
		finding_say(f, VERDICT_MET, M_PROBE_COMMANDS, g.n);
	else
		finding_say(f, g.rows > 0 ? VERDICT_PARTLY : VERDICT_NOT, M_PROBE_COMMANDS_WHOLE, g.rows, g.n,
			    g.whole.text);
}

/* Whether packets show the protocol, or only the port tells it. */
static bool is_judged(const char *protocol)
{
	static const char *const plain[] = { "tcp", "udp", "icmp", "icmpv6", "any" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(protocol, plain[i]) == 0)
			return false;
	return *protocol != '\0';
}

void probe_protocols_judged(const struct evidence *of, struct finding *f)
{
	const json_t *permits = ja(of->answer, "permits");
	struct names plain = { 0 };
	size_t n = 0, good = 0;

	json_each(p, permits) {
		json_each(g, ja(p, "grants")) {
			n++;
			good += is_judged(js(g, "protocol"));
			if (!is_judged(js(g, "protocol")) && strstr(plain.text, js(g, "conduit")) == NULL)
				finding_name(&plain, js(g, "conduit"));
		}
	}
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else if (good == n)
		finding_say(f, VERDICT_MET, M_PROBE_PROTOCOLS, n);
	else
		finding_say(f, good > 0 ? VERDICT_PARTLY : VERDICT_NOT, M_PROBE_PROTOCOLS_PLAIN, good, n, plain.text);
}

void probe_failure_decided(const struct evidence *of, struct finding *f)
{
	const json_t *permits = ja(of->answer, "permits");
	size_t n = json_array_size(permits), closed = 0;

	json_each(p, permits) {
		const char *lane = js(p, "lane"), *tail = strlen(lane) > 14 ? lane + strlen(lane) - 14 : "";

		closed += strcmp(tail, "/closed/closed") == 0;
	}
	if (n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_CONDUITS);
	else
		finding_say(f, VERDICT_MET, M_PROBE_FAILURE, n, closed, n - closed);
}

void probe_ends_by_time(const struct evidence *of, struct finding *f)
{
	const json_t *list = ja(of->answer, "conduits");
	const char *now = js(of->facts, "made");
	struct names ending = { 0 };
	size_t over = 0;

	json_each(c, list) {
		const char *until = js(c, "until");

		if (*until == '\0')
			continue;
		finding_name(&ending, js(c, "name"));
		over += strcmp(until, now) < 0;
	}
	if (ending.n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_ENDS);
	else
		finding_say(f, VERDICT_MET, M_PROBE_ENDS, ending.n, over, ending.text);
}

/* Exceptions to the rules of the site: each has its end, its approval and, once it is over, its
 * report. */
void probe_exceptions(const struct evidence *of, struct finding *f)
{
	const char *now = js(of->facts, "made");
	struct names all = { 0 }, owed = { 0 };

	json_each(c, ja(of->answer, "conduits")) {
		const json_t *x = json_array_get(ja(c, "exception"), 0);

		if (x == NULL)
			continue;
		finding_name(&all, js(c, "name"));
		if (strcmp(js(c, "until"), now) < 0 && *js(x, "report") == '\0')
			finding_name(&owed, js(c, "name"));
	}
	if (all.n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_EXCEPTIONS);
	else
		finding_say(f, owed.n > 0 ? VERDICT_PARTLY : VERDICT_MET, M_PROBE_EXCEPTIONS, all.n, all.text, owed.n,
			    owed.n > 0 ? owed.text : "-");
}

/* The register of connections with outside organisations that clauses ask for: zones of class
 * external, and the conduits that lead to or from them. */
void probe_outside_register(const struct evidence *of, struct finding *f)
{
	const json_t *zones = ja(of->answer, "zones"), *list = ja(of->answer, "conduits");
	struct names outside = { 0 }, nobody = { 0 };
	size_t crossing = 0, between = 0;

	json_each(v, zones) {
		if (!js_is(v, "class", "external"))
			continue;
		finding_name(&outside, js(v, "name"));
		if (json_find(ja(of->answer, "organisations"), "zone", js(v, "name")) == NULL)
			finding_name(&nobody, js(v, "name"));
	}
	json_each(v, list) {
		bool from = strcmp(class_of(of->answer, js(v, "from")), "external") == 0;
		bool to = strcmp(class_of(of->answer, js(v, "to")), "external") == 0;

		crossing += from || to;
		between += from && to;
	}
	if (outside.n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_OUTSIDE);
	else if (nobody.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_OUTSIDE_UNNAMED, outside.n, nobody.n, nobody.text, crossing);
	else
		finding_say(f, between > 0 ? VERDICT_PARTLY : VERDICT_MET, M_PROBE_OUTSIDE, outside.n, outside.text,
			    crossing, between);
}

void probe_clear_text_seen(const struct evidence *of, struct finding *f)
{
	struct names seen = { 0 };
	unsigned long long sessions = 0;
	char name[sizeof(struct clear_seen)];

	for (size_t i = 0; i < of->deeds->n_clear; i++) {
		const struct clear_seen *c = &of->deeds->clear[i];

		if (strcmp(class_of(of->answer, c->zone), "external") != 0)
			continue;
		snprintf(name, sizeof(name), "%s (%s)", c->protocol, c->zone);
		finding_name(&seen, name);
		sessions += c->sessions;
	}
	if (of->deeds->clear_more > 0 && seen.n == 0)
		finding_say(f, VERDICT_UNREAD, M_PROBE_CLEAR_MANY, of->deeds->clear_more);
	else if (seen.n > 0)
		finding_say(f, VERDICT_PARTLY, M_PROBE_CLEAR_SEEN, sessions, seen.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_CLEAR_NONE);
}

void probe_tests_apart(const struct evidence *of, struct finding *f)
{
	const json_t *zones = ja(of->answer, "zones"), *list = ja(of->answer, "conduits");
	struct names met = { 0 };
	size_t tests = 0;

	json_each(v, zones)
		tests += js_is(v, "class", "test");
	json_each(v, list)
		if ((strcmp(class_of(of->answer, js(v, "from")), "test") == 0) !=
		    (strcmp(class_of(of->answer, js(v, "to")), "test") == 0))
			finding_name(&met, js(v, "name"));
	if (tests == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_TESTS);
	else if (met.n > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_TESTS_MEET, met.n, met.text);
	else
		finding_say(f, VERDICT_MET, M_PROBE_TESTS_APART, tests);
}

void probe_assets_named(const struct evidence *of, struct finding *f)
{
	size_t n = json_array_size(ja(of->answer, "assets"));

	finding_say(f, n > 0 ? VERDICT_MET : VERDICT_NOT, n > 0 ? M_PROBE_ASSETS : M_PROBE_NO_ASSETS, n);
}

void probe_picture(const struct evidence *of, struct finding *f)
{
	const json_t *e = of->answer;
	size_t zones = json_array_size(ja(e, "zones"));

	finding_say(f, zones > 0 ? VERDICT_MET : VERDICT_NOT, zones > 0 ? M_PROBE_PICTURE : M_PROBE_NO_PICTURE, zones,
		    json_array_size(ja(e, "conduits")), json_array_size(ja(e, "cells")));
}

void probe_limits_set(const struct evidence *of, struct finding *f)
{
	const json_t *limits = json_object_get(of->answer, "limits");

	if (ju(limits, "sessions") > 0 && ju(limits, "few_per_second") > 0)
		finding_say(f, VERDICT_MET, M_PROBE_LIMITS, ju(limits, "sessions"), ju(limits, "few_per_second"));
	else
		finding_say(f, VERDICT_NOT, M_PROBE_NO_LIMITS);
}

void probe_nevers_hold(const struct evidence *of, struct finding *f)
{
	const json_t *m = of->answer;
	unsigned long long n = ju(m, "nevers"), broken = ju(m, "broken"), unattended = ju(m, "unattended");

	if (n == 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NO_NEVERS);
	else if (broken > 0)
		finding_say(f, VERDICT_NOT, M_PROBE_NEVERS_BROKEN, broken, n);
	else
		finding_say(f, unattended > 0 ? VERDICT_PARTLY : VERDICT_MET, M_PROBE_NEVERS, n, unattended);
}

void probe_unpatchable_apart(const struct evidence *of, struct finding *f)
{
	const json_t *m = of->answer;
	struct names fixed = { 0 };

	json_each(z, ja(m, "zones"))
		if (json_is_false(json_object_get(z, "patchable")))
			finding_name(&fixed, js(z, "name"));
	if (fixed.n == 0)
		finding_say(f, VERDICT_ASK, M_PROBE_NO_UNPATCHABLE);
	else if (ju(m, "ways") > ju(m, "accepted") || ju(m, "direct") > 0)
		finding_say(f, ju(m, "ways") > ju(m, "accepted") ? VERDICT_NOT : VERDICT_PARTLY,
			    M_PROBE_UNPATCHABLE_REACHED, fixed.text, ju(m, "ways"), ju(m, "accepted"), ju(m, "direct"));
	else if (ju(m, "ways") > 0)
		finding_say(f, VERDICT_MET, M_PROBE_UNPATCHABLE_CHAINS, fixed.text, ju(m, "ways"));
	else
		finding_say(f, VERDICT_MET, M_PROBE_UNPATCHABLE, fixed.n, fixed.text);
}
