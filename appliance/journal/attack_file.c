/* SPDX-License-Identifier: Apache-2.0 */
/* The alarms of attacks on the disk, and what hosts asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/json.h"
#include "appliance/journal/attack.h"

#define FILE_NAME "attacks"
#define FILE_BYTES (4u << 20)
#define FORM 1

static json_t *big(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *alarm_json(const struct attack_alarm *x)
{
	char client[ADDR_TEXT] = "", server[ADDR_TEXT] = "";

	if (x->client.family != 0)
		addr_text(&x->client, client);
	if (x->server.family != 0)
		addr_text(&x->server, server);
	return json_pack("{s:I, s:s, s:b, s:b, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:s, s:s, s:I, s:I, "
			 "s:I, s:I, s:I, "
			 "s:b, s:o, s:o, s:o, s:i}",
			 "number", (json_int_t)x->number, "cause", attack_word(x->cause), "grave", (int)x->grave,
			 "test", (int)x->test, "sum", (int)x->sum, "key", big(x->key), "zones", big(x->zones), "first",
			 (json_int_t)x->first, "last", (json_int_t)x->last, "count", (json_int_t)x->count, "hosts",
			 (json_int_t)x->hosts, "places", (json_int_t)x->places, "from", json_text(x->from), "to",
			 json_text(x->to), "client", client, "server", server, "rung", (json_int_t)x->rung, "rang",
			 (json_int_t)x->rang, "acknowledged", (json_int_t)x->acknowledged, "silent_until",
			 (json_int_t)x->silent_until, "seen", (json_int_t)x->seen, "seen_grave", (int)x->seen_grave,
			 "by", json_text(x->by), "person", json_text(x->person), "reason", json_text(x->reason), "says",
			 (int)x->says);
}

static json_t *asked_json(const struct attack_asked *table, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (table[i].first != 0)
			json_array_append_new(list, json_pack("[I, o, I, I]", (json_int_t)i, big(table[i].key),
							      (json_int_t)table[i].first, (json_int_t)table[i].last));
	return list;
}

static json_t *file_json(const struct attacks *a)
{
	json_t *alarms = json_array(), *rule = json_object();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(alarms, alarm_json(&a->alarms[i]));
#define ATTACK(id, word, ...) json_object_set_new(rule, #word, json_integer(a->rule.at_least[id]));
#define ATTACK_SETTING(word, ...) json_object_set_new(rule, #word, json_integer(a->rule.word));
#include "appliance/wire/attack.def"
	return json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "form", FORM, "seed",
			 big(a->seed), "last", (json_int_t)a->last, "beyond", (json_int_t)a->beyond, "forgot",
			 (json_int_t)a->forgot, "rule_version", (json_int_t)a->rule_version, "tested",
			 (json_int_t)a->tested, "test_missed", (json_int_t)a->test_missed, "damaged", (int)a->damaged,
			 "rule", rule, "alarms", alarms, "askers", asked_json(a->askers, ATTACK_ASKERS), "asked",
			 asked_json(a->asked, ATTACK_ASKED));
}

int attacks_save(int folder, struct attacks *a, struct err *e)
{
	json_t *j = file_json(a);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = text != NULL ? atomic_write(folder, FILE_NAME, text, strlen(text), e)
			     : err_set(e, -ENOMEM, "the alarms of attacks");

	free(text);
	json_decref(j);
	if (r == 0)
		a->changed = a->stale = false;
	return r;
}

static bool text_take(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		return false;
	memcpy(to, from, n + 1);
	return true;
}

static bool addr_take(struct addr *to, const char *from)
{
	return *from == '\0' || addr_parse(from, to);
}

static bool alarm_parse(json_t *j, struct attack_alarm *x)
{
	json_int_t number, key, zones, first, last, count, hosts, places, rung, rang, acknowledged, silent, seen, says;
	const char *cause, *from, *to, *client, *server, *by, *person, *reason;
	int grave, test, sum, seen_grave;

	if (json_unpack_ex(j, NULL, JSON_STRICT,
			   "{s:I, s:s, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:I, "
			   "s:I, s:I, s:I, "
			   "s:b, s:s, s:s, s:s, s:I}",
			   "number", &number, "cause", &cause, "grave", &grave, "test", &test, "sum", &sum, "key", &key,
			   "zones", &zones, "first", &first, "last", &last, "count", &count, "hosts", &hosts, "places",
			   &places, "from", &from, "to", &to, "client", &client, "server", &server, "rung", &rung,
			   "rang", &rang, "acknowledged", &acknowledged, "silent_until", &silent, "seen", &seen,
			   "seen_grave", &seen_grave, "by", &by, "person", &person, "reason", &reason, "says",
			   &says) < 0)
		return false;
	if (number <= 0 || number > UINT32_MAX || attack_by_word(cause) == ATTACK_CAUSES || first < 0 || last < 0 ||
	    count < 0 || count > UINT32_MAX || hosts < 0 || hosts > ATTACK_HOSTS || places < 0 || places > UINT32_MAX ||
	    rung < 0 || rung > UINT32_MAX || rang < 0 || acknowledged < 0 || silent < 0 || seen < 0 ||
	    seen > UINT32_MAX || says < 0 || says > ATTACK_RANG_TEST)
		return false;
	*x = (struct attack_alarm){ .number = (uint32_t)number,
				    .cause = (uint8_t)attack_by_word(cause),
				    .grave = grave != 0,
				    .test = test != 0,
				    .sum = sum != 0,
				    .key = (uint64_t)key,
				    .zones = (uint64_t)zones,
				    .first = (uint64_t)first,
				    .last = (uint64_t)last,
				    .count = (uint64_t)count,
				    .hosts = (uint32_t)hosts,
				    .places = (uint32_t)places,
				    .rung = (uint32_t)rung,
				    .rang = (uint64_t)rang,
				    .acknowledged = (uint64_t)acknowledged,
				    .silent_until = (uint64_t)silent,
				    .seen = (uint64_t)seen,
				    .seen_grave = seen_grave != 0,
				    .says = (uint8_t)says };
	return addr_take(&x->client, client) && addr_take(&x->server, server) &&
	       text_take(x->from, sizeof(x->from), from) && text_take(x->to, sizeof(x->to), to) &&
	       text_take(x->by, sizeof(x->by), by) && text_take(x->person, sizeof(x->person), person) &&
	       text_take(x->reason, sizeof(x->reason), reason);
}

static bool asked_parse(json_t *list, struct attack_asked *table, size_t n)
{
	json_int_t at, key, first, last;
	json_t *j;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > n)
		return false;
	json_array_foreach(list, i, j)
	{
		if (json_unpack_ex(j, NULL, JSON_STRICT, "[I, I, I, I]", &at, &key, &first, &last) < 0 || at < 0 ||
		    (size_t)at >= n || first <= 0 || last < first || table[at].first != 0)
			return false;
		table[at] = (struct attack_asked){ (uint64_t)key, (uint64_t)first, (uint64_t)last };
	}
	return true;
}

static bool number_take(const json_t *j, const char *key, uint32_t *ret)
{
	const json_t *v = json_object_get(j, key);

	*ret = (uint32_t)json_integer_value(v);
	return json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= ATTACK_MOST;
}

/* Another version of the program may know other conditions: what it does not say is as usual, and that is a change. */
static void rule_parse(const json_t *j, struct attack_rule *ret)
{
	uint32_t v;

#define ATTACK(id, word, ...)                                                                                          \
	if (number_take(j, #word, &v))                                                                                 \
		ret->at_least[id] = v;
#define ATTACK_SETTING(word, ...)                                                                                      \
	if (number_take(j, #word, &v))                                                                                 \
		ret->word = v;
#include "appliance/wire/attack.def"
}

static bool all_parse(json_t *all, struct attacks *ret)
{
	json_int_t form, seed, last, beyond, forgot, version, tested, missed;
	json_t *rule, *alarms, *askers, *asked, *j;
	int damaged;
	size_t i;

	if (json_unpack_ex(all, NULL, JSON_STRICT, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}",
			   "form", &form, "seed", &seed, "last", &last, "beyond", &beyond, "forgot", &forgot,
			   "rule_version", &version, "tested", &tested, "test_missed", &missed, "damaged", &damaged,
			   "rule", &rule, "alarms", &alarms, "askers", &askers, "asked", &asked) < 0 ||
	    form != FORM || last < 0 || last > UINT32_MAX || beyond < 0 || forgot < 0 || version < 0 || tested < 0 ||
	    missed < 0 || missed >= 1 << ATTACK_CAUSES || !json_is_object(rule) || !json_is_array(alarms) ||
	    json_array_size(alarms) > ATTACK_ALARMS)
		return false;
	ret->seed = (uint64_t)seed;
	ret->last = (uint32_t)last;
	ret->beyond = (uint64_t)beyond;
	ret->forgot = (uint64_t)forgot;
	ret->rule_version = (uint64_t)version;
	ret->tested = (uint64_t)tested;
	ret->test_missed = (uint32_t)missed;
	ret->damaged = damaged != 0;
	ret->rule = attack_usual;
	rule_parse(rule, &ret->rule);
	json_array_foreach(alarms, i, j)
	{
		if (!alarm_parse(j, &ret->alarms[i]) || ret->alarms[i].number > ret->last)
			return false;
		ret->n = i + 1;
	}
	return asked_parse(askers, ret->askers, ATTACK_ASKERS) && asked_parse(asked, ret->asked, ATTACK_ASKED);
}

bool attacks_parse(const uint8_t *text, size_t n, struct attacks *ret)
{
	json_t *all = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	bool sound;

	memset(ret, 0, sizeof(*ret));
	sound = all != NULL && all_parse(all, ret);
	json_decref(all);
	if (!sound)
		memset(ret, 0, sizeof(*ret));
	return sound;
}

void attacks_load(int folder, uint64_t seed, struct attacks *ret, bool *ret_damaged)
{
	uint8_t *text = NULL;
	size_t n = 0;
	int r = file_read(folder, FILE_NAME, FILE_BYTES, &text, &n, NULL);
	bool sound = r == 0 && attacks_parse(text, n, ret);

	free(text);
	*ret_damaged = !sound && r != -ENOENT;
	if (sound)
		return;
	if (*ret_damaged)
		file_aside(folder, FILE_NAME);
	memset(ret, 0, sizeof(*ret));
	ret->seed = seed;
	ret->rule = attack_usual;
	ret->damaged = ret->changed = *ret_damaged;
}
