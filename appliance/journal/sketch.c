/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/sketch.h"

#include <string.h>

#include "appliance/wire/event_words.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

#define TRIES 4u /* bits of one member of a set */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* Of which kind a name is: a zone is no asset of that name. */
enum name {
	NAME_ZONE = 'z',
	NAME_ASSET = 'a',
	NAME_CONDUIT = 'c',
	NAME_HOST = 'h',
	NAME_KIND = 'k',
	NAME_REASON = 'r',
	NAME_COMMAND = 'f',
	NAME_CODE = 'n',
	NAME_WROTE = 'w', /* of no name: some record says which values were written, or were to be */
};

/* ---- sets --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(char kind, const void *value, size_t n)
{
	const uint8_t *p = value;
	uint64_t h = (FNV_BASIS ^ (uint8_t)kind) * FNV_PRIME;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	/* Its low bits depend on few of the last bytes. */
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15ull;
}

/* The k-th bit of it in a set of so many bytes, a power of two. */
static size_t bit_of(uint64_t hash, unsigned k, size_t bytes)
{
	return (size_t)((hash >> 32) + k * ((hash & 0xffffffffu) | 1)) & (bytes * 8 - 1);
}

static void put(uint8_t *set, size_t bytes, uint64_t hash)
{
	for (unsigned k = 0; k < TRIES; k++)
		set[bit_of(hash, k, bytes) / 8] |= (uint8_t)(1u << bit_of(hash, k, bytes) % 8);
}

static bool holds(const uint8_t *set, size_t bytes, uint64_t hash)
{
	for (unsigned k = 0; k < TRIES; k++)
		if ((set[bit_of(hash, k, bytes) / 8] & 1u << bit_of(hash, k, bytes) % 8) == 0)
			return false;
	return true;
}

/* ---- of lines ----------------------------------------------------------------------------------------------------- */

/* The text of a key up to its closing quote. */
static const char *text_of(const char *line, size_t n, const char *key, size_t *ret_n)
{
	const char *at = line_value(line, n, key), *end = at != NULL ? memchr(at, '"', n - (size_t)(at - line)) : NULL;

	*ret_n = end != NULL ? (size_t)(end - at) : 0;
	return end != NULL ? at : NULL;
}

static void put_name(struct sketch *s, const char *line, size_t n, const char *key, enum name kind)
{
	size_t size;
	const char *name = text_of(line, n, key, &size);

	if (name != NULL)
		put(s->names, sizeof(s->names), hash_of((char)kind, name, size));
}

static void put_code(struct sketch *s, const char *line, size_t n)
{
	const char *at = line_bare(line, n, "function");
	size_t left = at != NULL ? n - (size_t)(at - line) : 0, size = 0;

	while (size < left && at[size] >= '0' && at[size] <= '9')
		size++;
	if (size > 0)
		put(s->names, sizeof(s->names), hash_of((char)NAME_CODE, at, size));
}

static uint64_t host_hash(const struct addr *a)
{
	uint8_t bytes[sizeof(a->b) + 1];

	bytes[0] = a->family;
	memcpy(bytes + 1, a->b, sizeof(a->b));
	return hash_of((char)NAME_HOST, bytes, sizeof(bytes));
}

static void put_host(struct sketch *s, const char *line, size_t n, const char *key)
{
	struct addr a;

	if (line_end(line, n, key, &a))
		put(s->hosts, sizeof(s->hosts), host_hash(&a));
}

static uint8_t bit_of_word(const char *line, size_t n, const char *key, unsigned most, const char *(*word)(unsigned))
{
	size_t size;
	const char *said = text_of(line, n, key, &size);

	for (unsigned i = 0; said != NULL && i < most; i++)
		if (strlen(word(i)) == size && memcmp(word(i), said, size) == 0)
			return (uint8_t)(1u << i);
	return 0;
}

static const char *severity_word(unsigned i)
{
	return event_severity_word((enum event_severity)i);
}

void sketch_add(struct sketch *s, const char *line, size_t n)
{
	const char *time = line_value(line, n, "time");

	if (time != NULL && n - (size_t)(time - line) >= SKETCH_MOMENT) {
		if (strncmp(time, s->latest, SKETCH_MOMENT) > 0)
			memcpy(s->latest, time, SKETCH_MOMENT);
		if (s->earliest[0] == '\0' || strncmp(time, s->earliest, SKETCH_MOMENT) < 0)
			memcpy(s->earliest, time, SKETCH_MOMENT);
	}
	s->severities |= bit_of_word(line, n, "severity", EVENT_SEVERITY_COUNT, severity_word);
	s->verdicts |= bit_of_word(line, n, "verdict", EVENT_VERDICT_COUNT, event_verdict_word);
	put_name(s, line, n, "kind", NAME_KIND);
	put_name(s, line, n, "reason", NAME_REASON);
	put_name(s, line, n, "function_name", NAME_COMMAND);
	put_code(s, line, n);
	if (line_bare(line, n, "wrote") != NULL)
		put(s->names, sizeof(s->names), hash_of((char)NAME_WROTE, "", 0));
	put_name(s, line, n, "client_zone", NAME_ZONE);
	put_name(s, line, n, "server_zone", NAME_ZONE);
	put_name(s, line, n, "client_asset", NAME_ASSET);
	put_name(s, line, n, "server_asset", NAME_ASSET);
	put_name(s, line, n, "conduit", NAME_CONDUIT);
	put_host(s, line, n, "client");
	put_host(s, line, n, "server");
}

/* ---- questions ---------------------------------------------------------------------------------------------------- */

static bool may_name(const struct sketch *s, const char *name, enum name kind)
{
	/* With a quote in it a line is matched beyond the value's end, which no set knows. */
	return name[0] == '\0' || strchr(name, '"') != NULL ||
	       holds(s->names, sizeof(s->names), hash_of((char)kind, name, strlen(name)));
}

/* By today's tables: records have no class, and neither has the set. */
static bool may_class(const struct sketch *s, unsigned classes)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++) {
		const struct vocabulary *v = vocabulary_of((enum protocol)p);

		for (unsigned i = 0; v != NULL && i < v->n_functions; i++)
			if ((v->functions[i].classes & classes) != 0 && may_name(s, v->functions[i].name, NAME_COMMAND))
				return true;
	}
	return false;
}

static bool may_command(const struct sketch *s, const struct line_filter *f)
{
	bool may = f->n_commands == 0;

	for (unsigned i = 0; i < f->n_commands && !may; i++) {
		const struct command_asked *c = &f->commands[i];

		may = may_name(s, c->word, c->by_code ? NAME_CODE : NAME_COMMAND) ||
		      (c->classes != 0 && may_class(s, c->classes));
	}
	return may;
}

bool sketch_may(const struct sketch *s, const struct line_filter *f)
{
	const char(*t)[FILTER_TEXT] = f->asked->text;
	const struct addr_range *hosts = &f->hosts;
	unsigned verdict = event_verdict_by_word(t[FILTER_VERDICT]);

	if (t[FILTER_SINCE][0] != '\0' && strncmp(s->latest, t[FILTER_SINCE], SKETCH_MOMENT) < 0)
		return false;
	if (t[FILTER_UNTIL][0] != '\0' &&
	    (s->earliest[0] == '\0' || strncmp(s->earliest, t[FILTER_UNTIL], SKETCH_MOMENT) >= 0))
		return false;
	if (f->gravity != EVENT_NOTICE && s->severities >> f->gravity == 0)
		return false;
	if (t[FILTER_VERDICT][0] != '\0' && verdict < EVENT_VERDICT_COUNT && (s->verdicts & 1u << verdict) == 0)
		return false;
	/* Of a prefix the set does not know its hosts. */
	if (t[FILTER_HOST][0] != '\0' && memcmp(&hosts->lo, &hosts->hi, sizeof(hosts->lo)) == 0 &&
	    !holds(s->hosts, sizeof(s->hosts), host_hash(&hosts->lo)))
		return false;
	if (t[FILTER_VALUE][0] != '\0' && !holds(s->names, sizeof(s->names), hash_of((char)NAME_WROTE, "", 0)))
		return false;
	if (!may_name(s, t[FILTER_REASON], NAME_REASON) || !may_command(s, f))
		return false;
	return may_name(s, t[FILTER_ZONE], NAME_ZONE) && may_name(s, t[FILTER_ASSET], NAME_ASSET) &&
	       may_name(s, t[FILTER_CONDUIT], NAME_CONDUIT) && may_name(s, t[FILTER_KIND], NAME_KIND);
}
