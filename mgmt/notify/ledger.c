/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "mgmt/state/read.h"

#define FILE_NAME "ledger"
#define FILE_MOST (8u << 20) /* bytes: 200 records of 8 KiB in two languages, twice */
#define LOOKS 2		     /* looks in a row that must agree before an alarm is told */

static json_t *list_of(const struct ledger *l, const char *key)
{
	return json_object_get(l->all, key);
}

static void set(struct ledger *l, const char *key, uint64_t v)
{
	json_object_set_new(l->all, key, json_integer((json_int_t)v));
	l->changed = true;
}

static bool ledger_holds(const json_t *all)
{
	return json_is_object(all) && ja(all, "alarms") != NULL && ja(all, "waiting") != NULL;
}

int ledger_open(int dirfd, struct ledger *ret, bool *ret_new)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;

	*ret = (struct ledger){ 0 };
	if (file_read(dirfd, FILE_NAME, FILE_MOST, &text, &n, &e) == 0)
		ret->all = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	*ret_new = !ledger_holds(ret->all);
	if (*ret_new) {
		json_decref(ret->all);
		ret->all = json_pack("{s:i, s:i, s:i, s:i, s:i, s:[], s:[]}", "after", 0, "sent", 0, "number", 1,
				     "serial", 0, "dropped", 0, "alarms", "waiting");
		ret->changed = true;
	}
	return ret->all != NULL ? 0 : -ENOMEM;
}

int ledger_save(int dirfd, struct ledger *l, struct err *e)
{
	char *text;
	int r;

	if (!l->changed)
		return 0;
	text = json_dumps(l->all, JSON_COMPACT);
	if (text == NULL)
		return err_set(e, -ENOMEM, FILE_NAME);
	r = atomic_write(dirfd, FILE_NAME, text, strlen(text), e);
	free(text);
	l->changed = r < 0;
	return r;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void wait_to_be_told(struct ledger *l, const char *what, const char *when, const json_t *of)
{
	uint64_t serial = ju(l->all, "serial") + 1;
	json_t *waiting = list_of(l, "waiting");

	if (json_array_size(waiting) >= LEDGER_WAITING_MOST) {
		(void)json_array_remove(waiting, 0);
		set(l, "dropped", ledger_dropped(l) + 1);
	}
	(void)json_array_append_new(waiting, json_pack("{s:s, s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:O?}", "what", what,
						       "when", json_text(when), "key", json_text(js(of, "key")),
						       "grave", (int)jb(of, "grave"), "en", json_text(js(of, "en")),
						       "ja", json_text(js(of, "ja")), "generation",
						       (json_int_t)l->generation, "serial", (json_int_t)serial,
						       "contacts", json_object_get(of, "contacts")));
	set(l, "serial", serial);
}

/* Updates the known alarms: each was seen again, or was not. */
static void known(struct ledger *l, const json_t *alarms, const char *now)
{
	json_t *list = list_of(l, "alarms");

	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *one = json_array_get(list, i);
		bool seen = json_find(alarms, "key", js(one, "key")) != NULL;
		long long looks = (long long)ju(one, "looks"), missed = seen ? 0 : (long long)ju(one, "missed") + 1;

		if (seen && looks < LOOKS && ++looks == LOOKS) {
			wait_to_be_told(l, "begin", js(one, "since"), one);
			json_object_set_new(one, "looks", json_integer(looks));
		}
		if ((long long)ju(one, "missed") != missed)
			json_object_set_new(one, "missed", json_integer(missed));
		if (missed < LOOKS && (seen || looks == LOOKS))
			continue;
		if (looks == LOOKS)
			wait_to_be_told(l, "end", now, one);
		(void)json_array_remove(list, i);
		l->changed = true;
	}
}

void ledger_look(struct ledger *l, const json_t *alarms, const char *now)
{
	known(l, alarms, now);
	json_each(a, alarms) {
		const char *since = js(a, "since");

		if (json_find(list_of(l, "alarms"), "key", js(a, "key")) != NULL)
			continue;
		(void)json_array_append_new(list_of(l, "alarms"),
					    json_pack("{s:o, s:b, s:o, s:o, s:o, s:i, s:i, s:O?}", "key",
						      json_text(js(a, "key")), "grave", (int)jb(a, "grave"), "since",
						      json_text(*since != '\0' ? since : now), "en",
						      json_text(js(a, "en")), "ja", json_text(js(a, "ja")), "looks", 1,
						      "missed", 0, "contacts", json_object_get(a, "contacts")));
	}
}

void ledger_generation(struct ledger *l, uint64_t number)
{
	l->generation = number;
}

void ledger_record(struct ledger *l, uint64_t seq, const char *when, const char *en, const char *ja_text)
{
	char key[40];
	json_t *of;

	snprintf(key, sizeof(key), "record %llu", (unsigned long long)seq);
	of = json_pack("{s:s, s:b, s:o, s:o}", "key", key, "grave", 1, "en", json_text(en), "ja", json_text(ja_text));
	wait_to_be_told(l, "record", when, of);
	json_decref(of);
}

uint64_t ledger_after(const struct ledger *l)
{
	return ju(l->all, "after");
}

void ledger_set_after(struct ledger *l, uint64_t seq)
{
	set(l, "after", seq);
}

uint64_t ledger_mark(const struct ledger *l)
{
	return ju(l->all, "mark");
}

const char *ledger_mark_hash(const struct ledger *l)
{
	return js(l->all, "mark_hash");
}

void ledger_set_mark(struct ledger *l, uint64_t seq, const char *hash)
{
	json_object_set_new(l->all, "mark_hash", json_text(hash));
	set(l, "mark", seq);
}

size_t ledger_waiting(const struct ledger *l)
{
	return json_array_size(list_of(l, "waiting"));
}

uint64_t ledger_dropped(const struct ledger *l)
{
	return ju(l->all, "dropped");
}

uint64_t ledger_number(const struct ledger *l)
{
	return ju(l->all, "number");
}

uint64_t ledger_sent_s(const struct ledger *l)
{
	return ju(l->all, "sent");
}

const json_t *ledger_at(const struct ledger *l, size_t n)
{
	return json_array_get(list_of(l, "waiting"), n);
}

void ledger_first_told(struct ledger *l, uint64_t now_s)
{
	(void)json_array_remove(list_of(l, "waiting"), 0);
	set(l, "dropped", 0);
	set(l, "sent", now_s);
}

void ledger_told(struct ledger *l, uint64_t now_s)
{
	(void)json_array_clear(list_of(l, "waiting"));
	set(l, "dropped", 0);
	set(l, "sent", now_s);
	set(l, "number", ledger_number(l) + 1);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void write_line(FILE *to, enum lang l, enum message m, const char *when, const json_t *x)
{
	char at[RENDER_TEXT];

	render_time(when, at);
	message_print(to, l, m, at, js(x, lang_name(l)));
	fputc('\n', to);
}

static void still(FILE *to, const struct ledger *l, enum lang lang)
{
	const json_t *list = list_of(l, "alarms");
	bool any = false;

	json_each(x, list) {
		if (ju(x, "looks") < LOOKS)
			continue;
		if (!any)
			message_print(to, lang, M_MAIL_NOW);
		any = true;
		write_line(to, lang, M_MAIL_SINCE, js(x, "since"), x);
	}
	if (!any)
		message_print(to, lang, M_MAIL_WELL);
}

char *ledger_text(const struct ledger *l, enum lang lang, const char *contact)
{
	const json_t *list = list_of(l, "waiting");
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return NULL;
	still(to, l, lang);
	message_print(to, lang, M_MAIL_HAPPENED);
	json_each(x, list) {
		const char *what = js(x, "what");

		write_line(to, lang,
			   strcmp(what, "begin") == 0 ? M_MAIL_BEGAN
			   : strcmp(what, "end") == 0 ? M_MAIL_ENDED
						      : M_MAIL_RECORD,
			   js(x, "when"), x);
	}
	if (ledger_dropped(l) > 0)
		message_print(to, lang, M_MAIL_DROPPED, (unsigned long long)ledger_dropped(l));
	if (*contact != '\0')
		message_print(to, lang, M_MAIL_CONTACT, contact);
	message_print(to, lang, M_MAIL_FOOT);
	return text_closed(to, &text);
}

char *ledger_subject(const struct ledger *l, enum lang lang, const char *site)
{
	static const enum lang orders[2][2] = { [LANG_EN] = { LANG_EN, LANG_JA }, [LANG_JA] = { LANG_JA, LANG_EN } };
	const json_t *list = list_of(l, "alarms");
	unsigned long long now = 0;
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < json_array_size(list); i++)
		now += ju(json_array_get(list, i), "looks") >= LOOKS;
	fprintf(to, "[Sekisho %s] ", site);
	for (unsigned i = 0; i < 2; i++) {
		fputs(i == 0 ? "" : " / ", to);
		if (now > 0)
			message_print(to, orders[lang][i], M_MAIL_SUBJECT, now, (unsigned long long)ledger_waiting(l));
		else
			message_print(to, orders[lang][i], M_MAIL_SUBJECT_WELL, (unsigned long long)ledger_waiting(l));
	}
	return text_closed(to, &text);
}
