/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/journal/verify.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/state/read.h"
#include "policy/compile/compile.h"

/* `sources`: [{"name","text"}], as in `show`. */
static json_t *model_of(const json_t *sources)
{
	size_t n = json_array_size(sources);
	struct source_text *texts = calloc(n + 1, sizeof(*texts));
	json_t *ret;

	json_each_at(i, v, sources) {
		const json_t *text = json_object_get(v, "text");

		if (texts != NULL)
			texts[i] = (struct source_text){ js(v, "name"), json_string_value(text),
							 json_string_length(text) };
	}
	ret = texts != NULL ? promises_json(texts, n) : NULL;
	free(texts);
	return ret;
}

#define FILE_MOST (64u << 20)
#define KEYS_MOST 65536u
#define SECOND 1000000000u

/* ---- asking ---------------------------------------------------------------------------------- */

/* In this order: the most short-lived answer first. */
static const struct {
	const char *name;
	struct msg_body question;
	bool texts; /* only if texts and sessions are wanted */
} questions[] = {
	{ "status", { .type = MSG_STATUS }, false },
	{ "flows", { .type = MSG_FLOWS, .flows = { .most = FLOWS_MOST } }, true },
	{ "effective", { .type = MSG_EFFECTIVE }, false },
	{ "verify", { .type = MSG_VERIFY }, false },
	{ "history", { .type = MSG_HISTORY }, false },
	{ "accounts", { .type = MSG_CTL_USER, .ctl_user = { .order = USER_LIST, .text = "{}" } }, false },
	{ "tokens", { .type = MSG_CTL_USER, .ctl_user = { .order = USER_TOKENS, .text = "{}" } }, false },
	{ "approval", { .type = MSG_CTL_USER, .ctl_user = { .order = USER_APPROVAL, .text = "{}" } }, false },
	{ "policy", { .type = MSG_SHOW }, false },
};

static uint64_t now_s(void)
{
	return clock_mono().ns / SECOND;
}

/* A copy of the program's state whose output goes to memory, because messages become facts. */
struct aside {
	struct cli c;
	char *said;
	size_t n;
};

static bool aside_open(struct aside *s, const struct cli *c)
{
	s->c = *c;
	s->c.json = false;
	s->said = NULL;
	s->n = 0;
	s->c.err = open_memstream(&s->said, &s->n);
	s->c.out = s->c.err;
	return s->c.err != NULL;
}

static void aside_close(struct aside *s)
{
	if (s->c.err != NULL)
		fclose(s->c.err);
	s->c.err = s->c.out = NULL;
	while (s->n > 0 && s->said[s->n - 1] == '\n')
		s->said[--s->n] = '\0';
}

static json_t *fact(json_t *answer, const char *why)
{
	json_t *taken = json_time(clock_wall_ns());

	return answer != NULL ? json_pack("{s:o,s:o}", "taken", taken, "answer", answer)
			      : json_pack("{s:o,s:o}", "taken", taken, "why", json_text(why));
}

/* The sentence of the box's error, or "". */
static const char *error_of(const struct cli *c, const json_t *answer)
{
	const json_t *e = json_object_get(answer, "error");

	return json_is_object(e) ? js(e, lang_name(c->lang)) : json_is_string(e) ? json_string_value(e) : "";
}

static json_t *asked(struct cli *c, const struct msg_body *question, unsigned seconds)
{
	struct box_answer a = { 0 };
	struct aside s;
	json_t *ret;
	int status;

	if (!aside_open(&s, c))
		return fact(NULL, message_format(M_CLI_NO_MEMORY, c->lang));
	if (box_request(&s.c, question, NULL, 0, seconds, &a, &status)) {
		const char *error = error_of(c, a.json);

		aside_close(&s);
		ret = fact(*error == '\0' ? json_incref(a.json) : NULL, error);
		box_answer_free(&a);
	} else {
		aside_close(&s);
		ret = fact(NULL, s.said);
	}
	free(s.said);
	return ret;
}

/* ---- the record folder ----------------------------------------------------------------------- */

/* The public key beside the records: it detects changes by anybody who could write there but not
 * sign. */
static bool key_beside(const char *folder, struct checkpoint_keys *ret)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	bool ok = fd >= 0 && file_read(fd, "checkpoint.pem", KEYS_MOST, &text, &n, &e) == 0 &&
		  checkpoint_keys_read((const char *)text, n, ret);

	if (fd >= 0)
		close(fd);
	free(text);
	return ok;
}

static json_t *journal(const struct cli *c, const char *folder)
{
	struct checkpoint_keys keys = { 0 };
	struct journal_trust trust = { &keys, NULL };
	struct journal_report r;
	struct err e = { 0 };
	bool signs = key_beside(folder, &keys);
	char why[300];

	if (journal_verify(folder, signs ? &trust : NULL, &r, &e) == 0)
		return fact(journal_report_json(&r, signs), NULL);
	message_text(why, sizeof(why), c->lang, M_REPORT_NO_RECORDS, folder);
	return fact(NULL, why);
}

/* ---- all facts ------------------------------------------------------------------------------- */

static json_t *model(const struct cli *c, const json_t *facts)
{
	json_t *m = model_of(ja(facts_answer(facts, "policy"), "sources"));

	return fact(m, m == NULL ? message_format(M_REPORT_NO_MODEL, c->lang) : NULL);
}

/* Asks sekishod a question that it can answer when no daemon runs. */
static json_t *stood(struct cli *c, const char *question)
{
	struct box_answer a = { 0 };
	struct aside s;
	json_t *ret;
	int status;

	if (!aside_open(&s, c))
		return fact(NULL, message_format(M_CLI_NO_MEMORY, c->lang));
	if (alone_request(&s.c, question, &a, &status)) {
		aside_close(&s);
		ret = fact(json_incref(a.json), NULL);
		box_answer_free(&a);
	} else {
		aside_close(&s);
		ret = fact(NULL, s.said);
	}
	free(s.said);
	return ret;
}

json_t *facts_gather(struct cli *c, const struct facts_wish *wish)
{
	uint64_t until = now_s() + wish->seconds;
	json_t *facts = facts_new(), *answers = json_object_get(facts, "answers");
	bool absent = alone_wanted(c);

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		uint64_t left = until > now_s() ? until - now_s() : 0;
		enum msg_type type = questions[i].question.type;

		if (questions[i].texts && !wish->texts)
			continue;
		(void)json_object_set_new(answers, questions[i].name,
					  left == 0 ? fact(NULL, message_format(M_REPORT_NO_TIME, c->lang))
					  : absent && (type == MSG_STATUS || type == MSG_EFFECTIVE)
						  ? stood(c, questions[i].name)
						  : asked(c, &questions[i].question, (unsigned)left));
	}
	(void)json_object_set_new(
		answers, "platform",
		fact(platform_of(PLATFORM_OS_RELEASE, PLATFORM_RELEASES, PLATFORM_CONSOLE, PLATFORM_PRIVATE), ""));
	return facts;
}

json_t *facts_take(struct cli *c, const struct facts_wish *wish, int *ret_status)
{
	uint64_t until = now_s() + wish->seconds;
	json_t *answers, *facts;

	if (box_absent(c)) {
		*ret_status = cli_fail(c, CLI_CANNOT, M_BOX_ABSENT, c->socket);
		return NULL;
	}
	facts = facts_gather(c, wish);
	answers = json_object_get(facts, "answers");
	(void)json_object_set_new(answers, "model", model(c, facts));
	if (!wish->texts) /* the texts are long, and reports use the compiled model */
		(void)json_object_del(answers, "policy");
	if (wish->journal != NULL)
		(void)json_object_set_new(answers, "journal",
					  until > now_s() ? journal(c, wish->journal)
							  : fact(NULL, message_format(M_REPORT_NO_TIME, c->lang)));
	if (facts_answer(facts, "status") != NULL)
		return facts;
	*ret_status = cli_fail_text(c, CLI_CANNOT, facts_why(facts, "status"));
	json_decref(facts);
	return NULL;
}

json_t *facts_read(struct cli *c, const char *file, int *ret_status)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	json_t *j = NULL;
	size_t n = 0;
	int r = file_read(AT_FDCWD, file, FILE_MOST, &text, &n, &e);

	if (r < 0) {
		*ret_status = cli_fail_file(c, CLI_INVALID, file, -r);
		return NULL;
	}
	j = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	(void)json_object_set_new(j, "kept", json_true());
	if (js_is(j, "product", FACTS_PRODUCT) && ju(j, "form") == FACTS_FORM &&
	    json_is_object(json_object_get(j, "answers")))
		return j;
	json_decref(j);
	*ret_status = cli_fail(c, CLI_INVALID, M_REPORT_NO_FACTS, file);
	return NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */

struct facts_window {
	const char *since, *until;
	void (*each)(void *ctx, const json_t *event);
	void *ctx;
};

static void within(void *ctx, const json_t *event)
{
	const struct facts_window *w = ctx;
	const char *time = js(event, "time");

	if (strcmp(time, w->since) >= 0 && strcmp(time, w->until) < 0)
		w->each(w->ctx, event);
}

bool facts_events(struct cli *c, const json_t *facts, const char *since, const char *until,
		  void (*each)(void *ctx, const json_t *event), void *ctx, int *ret_status)
{
	struct facts_window w = { since, until, each, ctx };
	const json_t *kept = ja(facts, "events");

	if (kept == NULL)
		return events_each(c, since, within, &w, ret_status);
	json_each(e, kept)
		within(&w, e);
	return true;
}
