/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/clean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/wire/reason.h"

#define HEAD 40u /* bytes */
#define ONE (CLEAN_NAME + 32u + 24u + CLEAN_KINDS * 10u)
#define SECOND 1000000000u

static const uint8_t form[16] = "sekisho clean 1";

void clean_free(struct clean *c)
{
	free(c->list);
	*c = (struct clean){ 0 };
}

static int by_name(const void *a, const void *b)
{
	return memcmp(a, b, CLEAN_NAME);
}

static struct clean_conduit *conduit_find(const struct clean *c, const uint8_t name[CLEAN_NAME])
{
	return c->n > 0 ? bsearch(name, c->list, c->n, sizeof(*c->list), by_name) : NULL;
}

void clean_rule(struct clean *c, struct clean_conduit *list, size_t n, uint64_t now_ns)
{
	if (n > 0)
		qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++) {
		const struct clean_conduit *was = conduit_find(c, list[i].name);

		if (was != NULL && memcmp(was->meaning, list[i].meaning, sizeof(was->meaning)) == 0)
			list[i] = *was;
		else
			list[i].since_ns = now_ns;
	}
	free(c->list);
	c->list = list;
	c->n = n;
	c->changed = true;
}

void clean_see(struct clean *c, const char *conduit, uint16_t reason, uint64_t count, uint64_t at_ns)
{
	uint8_t name[CLEAN_NAME] = { 0 };
	struct clean_conduit *one;
	size_t i = 0;

	if (snprintf((char *)name, sizeof(name), "%s", conduit) >= (int)sizeof(name))
		return;
	one = conduit_find(c, name);
	if (one == NULL)
		return;
	one->count += count;
	one->last_ns = at_ns > one->last_ns ? at_ns : one->last_ns;
	while (i < CLEAN_KINDS && one->kinds[i].count > 0 && one->kinds[i].reason != reason)
		i++;
	if (i < CLEAN_KINDS) {
		one->kinds[i].reason = reason;
		one->kinds[i].count += count;
	}
	c->changed = true;
}

/* Seconds since `since` during which the conduit was watched. */
static uint64_t watched_s(const struct spans *gaps, uint64_t since_ns, uint64_t now_ns)
{
	uint64_t ns = now_ns > since_ns ? now_ns - since_ns : 0;

	for (size_t i = 0; i < gaps->n; i++) {
		uint64_t from = gaps->list[i].from_ns, until = gaps->list[i].until_ns, less;

		from = from > since_ns ? from : since_ns;
		until = until < now_ns ? until : now_ns;
		less = until > from ? until - from : 0;
		ns = ns > less ? ns - less : 0;
	}
	return ns / SECOND;
}

json_t *clean_json(const struct clean *c, uint64_t now_ns)
{
	json_t *all = json_object();

	for (size_t i = 0; i < c->n; i++) {
		const struct clean_conduit *one = &c->list[i];
		uint64_t since = one->last_ns > one->since_ns ? one->last_ns : one->since_ns;
		json_t *reasons = json_array();

		for (size_t k = 0; k < CLEAN_KINDS && one->kinds[k].count > 0; k++)
			(void)json_array_append_new(
				reasons,
				json_pack("{s:s,s:I,s:s,s:s}", "reason", reason_word((enum reason)one->kinds[k].reason),
					  "count", (json_int_t)one->kinds[k].count, "en",
					  reason_text((enum reason)one->kinds[k].reason, "en"), "ja",
					  reason_text((enum reason)one->kinds[k].reason, "ja")));
		(void)json_object_set_new(all, (const char *)one->name,
					  json_pack("{s:o,s:o,s:I,s:o,s:o,s:I}", "since", json_time(one->since_ns),
						    "last", one->last_ns != 0 ? json_time(one->last_ns) : json_null(),
						    "would_refuse", (json_int_t)one->count, "reasons", reasons,
						    "unwatched", spans_json(&c->gaps, since), "clean_s",
						    (json_int_t)watched_s(&c->gaps, since, now_ns)));
	}
	return all;
}

/* ---- the file -------------------------------------------------------------------------------- */

uint8_t *clean_put(const struct clean *c, size_t *ret_n)
{
	size_t size = HEAD + c->gaps.n * USED_GAP_BYTES + c->n * ONE + 32;
	uint8_t *p = malloc(size);
	struct outbuf o = outbuf_of(p, p != NULL ? size : 0);
	uint8_t digest[32] = { 0 };

	out_bytes(&o, form, sizeof(form));
	out_be64(&o, c->alive_ns);
	out_be64(&o, c->gaps.n);
	out_be64(&o, c->n);
	for (size_t i = 0; i < c->gaps.n; i++)
		msg_put_used_gap(&o, &c->gaps.list[i]);
	for (size_t i = 0; i < c->n; i++) {
		const struct clean_conduit *one = &c->list[i];

		out_bytes(&o, one->name, CLEAN_NAME);
		out_bytes(&o, one->meaning, sizeof(one->meaning));
		out_be64(&o, one->since_ns);
		out_be64(&o, one->last_ns);
		out_be64(&o, one->count);
		for (size_t k = 0; k < CLEAN_KINDS; k++) {
			out_be16(&o, one->kinds[k].reason);
			out_be64(&o, one->kinds[k].count);
		}
	}
	if (!o.failed)
		sha256(p, o.len, digest);
	out_bytes(&o, digest, sizeof(digest));
	*ret_n = o.len;
	return p;
}

static bool take_one(struct bytes *b, struct clean_conduit *one)
{
	bool ok;

	bytes_copy(b, one->name, CLEAN_NAME);
	bytes_copy(b, one->meaning, sizeof(one->meaning));
	bytes_be64(b, &one->since_ns);
	bytes_be64(b, &one->last_ns);
	ok = bytes_be64(b, &one->count) && one->name[CLEAN_NAME - 1] == 0;
	for (size_t k = 0; k < CLEAN_KINDS; k++) {
		bytes_be16(b, &one->kinds[k].reason);
		ok &= bytes_be64(b, &one->kinds[k].count) && one->kinds[k].reason < REASON_COUNT;
	}
	return ok;
}

static bool take_rows(struct bytes *b, struct clean *ret)
{
	uint64_t gaps, n;
	bool ok = bytes_be64(b, &ret->alive_ns) && bytes_be64(b, &gaps) && bytes_be64(b, &n) && gaps <= USED_GAPS;

	for (; ok && ret->gaps.n < gaps; ret->gaps.n++)
		ok = msg_take_used_gap(b, &ret->gaps.list[ret->gaps.n]);
	if (!ok || n > b->left / ONE)
		return false;
	ret->list = calloc((size_t)n + 1, sizeof(*ret->list));
	for (; ret->list != NULL && ok && ret->n < n; ret->n++)
		ok = take_one(b, &ret->list[ret->n]) &&
		     (ret->n == 0 || by_name(&ret->list[ret->n - 1], &ret->list[ret->n]) < 0);
	return ret->list != NULL && ok && bytes_done(b);
}

bool clean_take(const uint8_t *p, size_t n, struct clean *ret)
{
	struct bytes b = bytes_of(p, n < 32 ? 0 : n - 32), head;
	uint8_t digest[32];

	*ret = (struct clean){ 0 };
	sha256(p, b.left, digest);
	if (n >= 32 && memcmp(p + b.left, digest, sizeof(digest)) == 0 && bytes_take(&b, sizeof(form), &head) &&
	    memcmp(head.p, form, sizeof(form)) == 0 && take_rows(&b, ret))
		return true;
	clean_free(ret);
	return false;
}
