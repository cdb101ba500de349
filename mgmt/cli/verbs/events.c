/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho events`: the journal's records, oldest first; without --after the last ones. --follow
 * waits for more until a signal, or until the reader of its output ends. For people the gravest
 * records of the last week come first, so that many small ones do not hide them.
 */
#include <poll.h>
#include <stdlib.h>

#include "appliance/base/addr.h"
#include "appliance/journal/filter.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/msg.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/effective/effective.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/words/eve.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000000
#define POLL_MS 200
#define GRAVE_MOST 10u
#define GRAVE_SINCE "7d"

/* The question, and how to print the answer. */
struct asked {
	struct event_filter filter;
	bool eve;
};

static void print_event(struct cli *c, const json_t *e, bool eve)
{
	char *line;

	if (eve || c->json) {
		json_line(c->out, eve ? event_eve(e) : json_deep_copy(e));
		return;
	}
	line = event_line(e, c->lang);
	fprintf(c->out, "%s\n", line != NULL ? line : "");
	free(line);
}

/* Prints up to `left` events after *after. False: the verb ends with *ret_status. */
static bool print_on(struct cli *c, const struct asked *q, unsigned long long *after, unsigned long long left,
		     int *ret_status)
{
	bool more = true;

	while (left > 0 && more) {
		json_t *list = events_page(c, &q->filter, after, left < EVENTS_PAGE ? (unsigned)left : EVENTS_PAGE,
					   &more, ret_status);
		size_t n = json_array_size(list);

		if (list == NULL)
			return false;
		for (size_t i = 0; i < n; i++)
			print_event(c, json_array_get(list, i), q->eve);
		left -= n < left ? n : left;
		json_decref(list);
	}
	return true;
}

/* The last `limit` matching events, and how many match. The caller owns the array. */
static json_t *last_of(struct cli *c, const struct event_filter *f, size_t limit, unsigned long long *after,
		       unsigned long long *ret_all, int *ret_status)
{
	json_t *kept = json_array();
	bool more = true;

	*ret_all = 0;
	while (more) {
		json_t *list = events_page(c, f, after, EVENTS_PAGE, &more, ret_status);

		if (list == NULL) {
			json_decref(kept);
			return NULL;
		}
		*ret_all += json_array_size(list);
		(void)json_array_extend(kept, list);
		json_decref(list);
		while (json_array_size(kept) > limit + EVENTS_PAGE || (!more && json_array_size(kept) > limit))
			(void)json_array_remove(kept, 0);
	}
	return kept;
}

/* Whether a zone of that name has interfaces; it may have no conduits. */
static bool has_interface(struct cli *c, const char *zone)
{
	struct box_answer answer;
	const json_t *interfaces;
	bool found = false;
	int status;

	if (!box_status(c, &answer, &status))
		return true;
	interfaces = ja(answer.json, "interfaces");
	json_each(i, interfaces) {
		const json_t *zones = ja(i, "zones");

		json_each(z, zones)
			found |= js_is(z, "name", zone);
	}
	box_answer_free(&answer);
	return found;
}

/*
 * Nothing matched, perhaps because a name was mistyped. Records of earlier policies may have names
 * that no longer exist, so this is a note and no error.
 */
static void note_strange_name(const struct cli *cli, const struct event_filter *f)
{
	struct cli here = *cli, *c = &here;
	const char *names[] = { f->text[FILTER_CONDUIT], f->text[FILTER_ZONE], f->text[FILTER_ASSET] };
	struct effective_filter asked = { .conduit = *names[0] != '\0' ? names[0] : NULL,
					  .zone = *names[1] != '\0' ? names[1] : NULL,
					  .asset = *names[2] != '\0' ? names[2] : NULL };
	const char *strange = NULL;
	struct box_answer answer;
	char text[FILTER_TEXT + 200], *safe;
	int status;

	c->json = false; /* the answer was printed already; the note is no part of it */
	if (asked.conduit == NULL && asked.zone == NULL && asked.asset == NULL)
		return;
	if (!box_ask(c, &(struct msg_body){ .type = MSG_EFFECTIVE }, &answer, &status))
		return;
	if (asked.zone != NULL &&
	    effective_lacks(answer.json, &(struct effective_filter){ .zone = asked.zone }) != NULL &&
	    has_interface(c, asked.zone))
		asked.zone = NULL;
	if (json_is_array(json_object_get(answer.json, "conduits")))
		strange = effective_lacks(answer.json, &asked);
	box_answer_free(&answer);
	if (strange == NULL)
		return;
	message_text(text, sizeof(text), c->lang, M_EVENTS_NO_NAME, strange);
	safe = text_safe(text);
	fprintf(c->err, "%s\n", safe != NULL ? safe : "");
	free(safe);
}

/* Prints the last `limit` matching events, after their total number. */
static bool print_matching(struct cli *c, const struct asked *q, unsigned long long limit, unsigned long long *after,
			   int *ret_status)
{
	unsigned long long all;
	json_t *list;

	*after = 0;
	list = last_of(c, &q->filter, (size_t)limit, after, &all, ret_status);
	if (list == NULL)
		return false;
	if (!c->json && !q->eve && all > json_array_size(list))
		render_line(c, M_EVENTS_LAST_OF, all, (unsigned long long)json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++)
		print_event(c, json_array_get(list, i), q->eve);
	json_decref(list);
	if (all == 0)
		note_strange_name(c, &q->filter);
	return true;
}

/* Prints grave records of the last days that are not in the following list. */
static bool print_grave(struct cli *c, unsigned long long shown_after, int *ret_status)
{
	struct event_filter f = { 0 };
	unsigned long long after = 0, all;
	char since[MOMENT_TEXT];
	size_t n = 0, older = 0;
	json_t *list;

	if (shown_after == 0 || !moment_parse(GRAVE_SINCE, since) || !event_filter_set(&f, FILTER_SINCE, since) ||
	    !event_filter_set(&f, FILTER_SEVERITY, event_severity_word(EVENT_SERIOUS)))
		return true;
	list = last_of(c, &f, EVENTS_PAGE, &after, &all, ret_status);
	if (list == NULL)
		return false;
	while (older < json_array_size(list) && ju(json_array_get(list, older), "seq") <= shown_after)
		older++;
	if (older > 0)
		render_line(c, M_EVENTS_GRAVE, (unsigned long long)older);
	for (n = older > GRAVE_MOST ? older - GRAVE_MOST : 0; n < older; n++)
		print_event(c, json_array_get(list, n), false);
	if (older > 0)
		render_line(c, M_EVENTS_THEN);
	json_decref(list);
	return true;
}

/* The number of the record before the last `limit` ones. */
static bool start_of_last(struct cli *c, unsigned long long limit, unsigned long long *ret, int *ret_status)
{
	struct box_answer answer;
	unsigned long long records;

	if (!box_status(c, &answer, ret_status))
		return false;
	records = ju(json_object_get(answer.json, "journal"), "records");
	*ret = records > limit ? records - limit : 0;
	box_answer_free(&answer);
	return true;
}

/* Waits a little; false when nobody reads the output any more. */
static bool wait_for_more(struct cli *c)
{
	struct pollfd p = { .fd = fileno(c->out), .events = 0 };

	if (fflush(c->out) != 0)
		return false;
	return poll(&p, 1, POLL_MS) == 0 || (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

/* Whether the journal would accept this value. */
static bool is_one(enum event_filter_key key, const char *text)
{
	struct event_filter alone = { 0 };
	struct line_filter f;

	return event_filter_set(&alone, key, text) && line_filter_make(&alone, &f);
}

/* Reads the filter; false with *ret_status for an invalid one. */
static bool take_filter(struct cli *c, const struct cli_args *a, struct event_filter *f, int *ret_status)
{
	static const struct {
		int option;
		enum event_filter_key key;
	} plain[] = {
		{ OPT_EVENTS_CONDUIT, FILTER_CONDUIT }, { OPT_EVENTS_VERDICT, FILTER_VERDICT },
		{ OPT_EVENTS_ZONE, FILTER_ZONE },	{ OPT_EVENTS_ASSET, FILTER_ASSET },
		{ OPT_EVENTS_HOST, FILTER_HOST },	{ OPT_EVENTS_SEVERITY, FILTER_SEVERITY },
		{ OPT_EVENTS_KIND, FILTER_KIND },	{ OPT_EVENTS_PROTOCOL, FILTER_PROTOCOL },
		{ OPT_EVENTS_REASON, FILTER_REASON },	{ OPT_EVENTS_COMMAND, FILTER_COMMAND },
		{ OPT_EVENTS_VALUE, FILTER_VALUE },
	};
	static const struct {
		int option;
		enum event_filter_key key;
		enum message none;
	} words[] = {
		{ OPT_EVENTS_PROTOCOL, FILTER_PROTOCOL, M_EVENTS_PROTOCOL },
		{ OPT_EVENTS_REASON, FILTER_REASON, M_EVENTS_REASON },
		{ OPT_EVENTS_COMMAND, FILTER_COMMAND, M_EVENTS_COMMAND },
		{ OPT_EVENTS_VALUE, FILTER_VALUE, M_EVENTS_VALUE },
	};
	const char *since = a->values[OPT_EVENTS_SINCE], *host = a->values[OPT_EVENTS_HOST],
		   *verdict = a->values[OPT_EVENTS_VERDICT], *severity = a->values[OPT_EVENTS_SEVERITY],
		   *kind = a->values[OPT_EVENTS_KIND], *until = a->values[OPT_EVENTS_UNTIL];
	char moment[MOMENT_TEXT], end[MOMENT_TEXT];
	struct addr_range r;
	bool stray, fits = true;

	*ret_status = CLI_YES;
	if (since != NULL && !moment_parse(since, moment))
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_SINCE, since);
	else if (until != NULL && !moment_parse(until, end))
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_UNTIL, until);
	else if (host != NULL && !prefix_parse(host, &r, &stray) && !stray)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_HOST, host);
	else if (verdict != NULL && event_verdict_by_word(verdict) == EVENT_VERDICT_COUNT)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_VERDICT, verdict);
	else if (severity != NULL && event_severity_by_word(severity) == EVENT_SEVERITY_COUNT)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_SEVERITY, severity);
	else if (kind != NULL && event_kind_by_word(kind) == EVENT_NONE)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_KIND, kind);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && *ret_status == CLI_YES; i++)
		if (a->values[words[i].option] != NULL && !is_one(words[i].key, a->values[words[i].option]))
			*ret_status = cli_fail(c, CLI_INVALID, words[i].none, a->values[words[i].option]);
	if (*ret_status != CLI_YES)
		return false;
	if (since != NULL)
		fits = event_filter_set(f, FILTER_SINCE, moment);
	if (until != NULL)
		fits = event_filter_set(f, FILTER_UNTIL, end) && fits;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (a->values[plain[i].option] != NULL &&
		    !event_filter_set(f, plain[i].key, a->values[plain[i].option]))
			fits = false;
	if (!fits)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_LONG);
	return fits;
}

int verb_events(struct cli *c, const struct cli_args *a)
{
	unsigned long long limit = LIMIT_DEFAULT, after = 0;
	struct asked q = { .eve = a->values[OPT_EVENTS_EVE] != NULL };
	int status;
	bool ok;

	if (!take_filter(c, a, &q.filter, &status))
		return status;
	if (a->values[OPT_EVENTS_FOLLOW] == NULL)
		pager_begin(c);
	if (a->values[OPT_EVENTS_LIMIT] != NULL &&
	    (!cli_number(a->values[OPT_EVENTS_LIMIT], LIMIT_MAX, &limit) || limit == 0))
		return cli_fail(c, CLI_INVALID, M_EVENTS_LIMIT, a->values[OPT_EVENTS_LIMIT], LIMIT_MAX);
	if (a->values[OPT_EVENTS_AFTER] != NULL) {
		if (!cli_number(a->values[OPT_EVENTS_AFTER], UINT64_MAX, &after))
			return cli_fail(c, CLI_INVALID, M_EVENTS_AFTER, a->values[OPT_EVENTS_AFTER]);
		ok = print_on(c, &q, &after, limit, &status);
	} else if (!event_filter_any(&q.filter)) {
		ok = print_matching(c, &q, limit, &after, &status);
	} else {
		ok = start_of_last(c, limit, &after, &status) && (c->json || q.eve || print_grave(c, after, &status)) &&
		     print_on(c, &q, &after, limit, &status);
	}
	while (ok && a->values[OPT_EVENTS_FOLLOW] != NULL && wait_for_more(c))
		ok = print_on(c, &q, &after, LIMIT_DEFAULT, &status);
	return status;
}
