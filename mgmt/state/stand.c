/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/stand.h"

#include <stdio.h>

#include "appliance/wire/reason.h"

#define FIRST 2u /* faults or alarms that the sentence names */

static bool role_is(const json_t *r, const char *name)
{
	return js_is(r, "role", name);
}

/* A compiler only runs while it compiles, so its absence is no fault. */
static bool is_passing(const json_t *role)
{
	return role_is(role, "compile");
}

bool stand_silent(const json_t *status, const json_t *role)
{
	const json_t *silent = ja(status, "silent");

	json_each(s, silent) {
		/* During a change, enforce answers only after the change. */
		if (role_is(role, "enforce") && json_is_true(json_object_get(status, "busy")))
			return false;
		if (role_is(s, js(role, "role")) && ju(s, "index") == ju(role, "index"))
			return true;
	}
	return false;
}

static bool runs(const json_t *status, const json_t *role)
{
	return js_is(role, "state", "running") && !stand_silent(status, role);
}

static enum stand of_roles(const json_t *status)
{
	const json_t *roles = ja(status, "roles"), *g = json_object_get(status, "generation");
	enum stand worst = STAND_GOOD;
	bool enforce = false;

	if (js_is(g, "state", "waiting"))
		worst = STAND_WAITING;
	else if (!js_is(g, "state", "confirmed"))
		return STAND_NO_POLICY;
	json_each(r, roles) {
		enum stand s = role_is(r, "dpi") || role_is(r, "gate") ? STAND_UNINSPECTED : STAND_PARTLY;

		if (role_is(r, "enforce") && runs(status, r))
			enforce = true;
		if (!is_passing(r) && !runs(status, r) && s < worst)
			worst = s;
	}
	if (worst > STAND_UNRECORDED && *js(json_object_get(status, "journal"), "trouble") != '\0')
		worst = STAND_UNRECORDED;
	return enforce ? worst : STAND_UNWATCHED;
}

size_t stand_grave(const json_t *alarms)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(alarms); i++)
		n += jb(json_array_get(alarms, i), "grave");
	return n;
}

enum stand stand_of(const json_t *status, const json_t *faults, const json_t *alarms)
{
	enum stand stand = of_roles(status);

	if (stand > STAND_FAULTY && json_array_size(faults) > 0)
		return STAND_FAULTY;
	return stand > STAND_ALARMED && stand_grave(alarms) > 0 ? STAND_ALARMED : stand;
}

const char *stand_word(enum stand stand)
{
	static const char *const words[] = {
#define STAND(id, word, sentence) [id] = (word),
#include "mgmt/state/stand.def"
	};

	return words[stand];
}

const char *stand_role(const json_t *role, enum lang l, char out[RENDER_TEXT])
{
	if (role_is(role, "dpi") || role_is(role, "gate"))
		message_text(out, RENDER_TEXT, l, M_ROLE_OF_KIND, js(role, "role"), ju(role, "index"),
			     render_kind(js(role, "kind"), l));
	else
		snprintf(out, RENDER_TEXT, "%s", js(role, "role"));
	return out;
}

/* "dpi/0 (commands), gate/0 (commands)": roles that are away. */
static void away(FILE *to, const json_t *status, enum lang l)
{
	char name[RENDER_TEXT];
	const json_t *roles = ja(status, "roles");
	const char *before = ": ";

	json_each(r, roles) {
		if (is_passing(r) || runs(status, r))
			continue;
		fprintf(to, "%s%s", before, stand_role(r, l, name));
		before = ", ";
	}
}

static void more(FILE *to, size_t n, enum lang l)
{
	if (n > FIRST)
		message_print(to, l, M_STATUS_FAULT_MORE, n - FIRST);
}

static void first_faults(FILE *to, const json_t *faults, enum lang l)
{
	for (size_t i = 0; i < json_array_size(faults) && i < FIRST; i++)
		fprintf(to, "%s%s", i > 0 ? message_format(M_STATUS_FAULT_NEXT, l) : "",
			json_string_value(json_array_get(faults, i)));
	more(to, json_array_size(faults), l);
}

static void first_alarms(FILE *to, const json_t *alarms, enum lang l)
{
	size_t n = 0;

	json_each(a, alarms)
		if (jb(a, "grave") && n++ < FIRST)
			fprintf(to, "%s%s", n > 1 ? message_format(M_STATUS_FAULT_NEXT, l) : "", js(a, lang_name(l)));
	more(to, n, l);
}

bool stand_lists(const json_t *faults, enum stand stand)
{
	return json_array_size(faults) > (stand == STAND_FAULTY ? FIRST : 0);
}

char *stand_sentence(const json_t *status, const json_t *faults, const json_t *alarms, enum stand stand, enum lang l)
{
	static const enum message lines[] = {
#define STAND(id, word, sentence) [id] = (sentence),
#include "mgmt/state/stand.def"
	};
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return NULL;
	fputs(message_format(lines[stand], l), to);
	if (stand == STAND_PARTLY || stand == STAND_UNINSPECTED)
		away(to, status, l);
	if (stand == STAND_FAULTY)
		first_faults(to, faults, l);
	if (stand == STAND_ALARMED)
		first_alarms(to, alarms, l);
	return text_closed(to, &text);
}

/* ---- counts by reason ------------------------------------------------------------------------ */

/* Whether packets with this reason passed unjudged because of their conduit's setting. That is a
 * failure, but no refusal. */
static bool passes_unjudged(enum reason r)
{
	return r == R_DOWN_HELD || r == R_DOWN_OPEN || r == R_MIDSTREAM_WAIT;
}

static void add_reason(json_t *list, const char *who, enum reason r, unsigned long long packets)
{
	if (packets > 0)
		(void)json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "who", who, "reason", reason_word(r),
							    "packets", (json_int_t)packets));
}

json_t *refused_list(const json_t *status, bool unjudged)
{
	const json_t *counters = json_object_get(json_object_get(status, "kernel"), "counters");
	const json_t *workers = ja(status, "workers");
	json_t *list = json_array();

	for (unsigned r = 0; r < REASON_COUNT; r++) {
		const char *word = reason_word((enum reason)r);
		unsigned long long worker = 0;

		for (size_t i = 0; i < json_array_size(workers); i++)
			worker += ju(json_object_get(json_array_get(workers, i), "reasons"), word);
		if (reason_kind((enum reason)r) == REASON_PASS || passes_unjudged((enum reason)r) != unjudged)
			continue;
		add_reason(list, "kernel", (enum reason)r, ju(json_object_get(counters, word), "packets"));
		add_reason(list, "workers", (enum reason)r, worker);
	}
	return list;
}
