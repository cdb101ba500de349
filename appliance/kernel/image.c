/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The types of a key as nft numbers them, for listings only: six bits for each field, the last
 * field in the lowest bits, and at most five fields. If a key has six fields, nft does not show the
 * last one, the output interface; `sekisho effective` shows all. Without types, Debian's nft
 * crashes when it lists the sets.
 */
#define SHOWN_INTEGER 4u
#define SHOWN_IPV4 7u
#define SHOWN_IPV6 8u
#define SHOWN_PROTOCOL 12u
#define SHOWN_PORT 13u
#define SHOWN_MARK 19u
#define SHOWN_INTERFACE 20u
#define SHOWN_DIRECTION 27u
#define SHOWN2(a, b) ((a) << 6 | (b))
#define SHOWN3(a, b, c) ((a) << 12 | (b) << 6 | (c))

#define SHOWN_CELL(address)                                                                                            \
	((address) << 24 | (address) << 18 | SHOWN_PROTOCOL << 12 | SHOWN_PORT << 6 | SHOWN_INTERFACE)

/*
 * The fields that tell most cells apart come first: the kernel looks in one field after the other,
 * and takes time for each element that fits so far. With the interfaces first, nearly all fit.
 */
#define CELLS(address, type, ...)                                                                                      \
	{                                                                                                              \
		.key_len = 16 + 2 * (address), .fields = { (address), (address), 1, 2, 4, 4 },                         \
		.shown_as = SHOWN_CELL(type), .map = true, __VA_ARGS__                                                 \
	}
#define LAYER(address, type) CELLS(address, type, .interval = true, .timeout = true, .counter = true)
/* The maps for new cells have the same form as the layers, but no counters. */
#define BRIDGE(address, type) CELLS(address, type, .interval = true, .timeout = true)
#define APART(address, type)                                                                                           \
	{                                                                                                              \
		.key_len = 2 * (address), .fields = { (address), (address) }, .shown_as = SHOWN2(type, type),          \
		.interval = true                                                                                       \
	}
#define KEPT(address, type)                                                                                            \
	{                                                                                                              \
		.key_len = 2 * (address) + 4, .fields = { (address), (address), 4 },                                   \
		.shown_as = SHOWN3(type, type, SHOWN_MARK), .interval = true                                           \
	}
#define DISPATCH                                                                                                       \
	{                                                                                                              \
		.key_len = 4, .fields = { 4 }, .shown_as = SHOWN_MARK, .verdict_map = true, .most = LANE_COUNT         \
	}

/* If the set is full, further pairs are not stored, so they are limited only by the share of their
 * zone. */
#define PAIRS 65536u
/* room for each session that connection tracking can hold (box/sysctl.h), because all of them may
 * be in the same part */
#define PARTS 262144u
#define FILLED(length, keys, ...)                                                                                      \
	{                                                                                                              \
		.key_len = (length), .shown_as = SHOWN_INTEGER, .most = (keys), .filled = true, __VA_ARGS__            \
	}

/*
 * ms by which elements of a permit outlast its end. The kernel counts an element's time from when
 * it read the element, so the same end differs by milliseconds between sets. But the sets' elements
 * must end in this order: cells, agree, live, together. A session whose label ends must find its
 * old cell gone, or it would get the same label again. `agree` tells an ended label from a wrong
 * interface, so `live` must not end before it. If `together` ended before `live`, packets for one
 * worker would go to others for the rest of the label's time.
 */
#define AGREE_LATE_MS 40u
#define LIVE_LATE_MS 80u
#define TOGETHER_LATE_MS 120u

static const struct set_spec specs[TABLE_SET_COUNT] = {
	[SET_LIVE] = { .key_len = 12,
		       .fields = { 4, 1, 4 },
		       .map = true,
		       .timeout = true,
		       .late_ms = LIVE_LATE_MS,
		       .shown_as = SHOWN3(SHOWN_INTERFACE, SHOWN_DIRECTION, SHOWN_MARK) },
	[SET_AGREE] = { .key_len = 8,
			.fields = { 4, 4 },
			.timeout = true,
			.late_ms = AGREE_LATE_MS,
			.shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_TOGETHER] = { .key_len = 8,
			   .fields = { 4, 4 },
			   .timeout = true,
			   .late_ms = TOGETHER_LATE_MS,
			   .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_LIMITED] = { .key_len = 8, .fields = { 4, 4 }, .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_UNTIL4... SET_UNTIL4_LAST] = LAYER(4, SHOWN_IPV4),
	[SET_EXACT4] = CELLS(4, SHOWN_IPV4, .interval = false, .counter = true),
	[SET_RANGE4... SET_RANGE4_LAST] = CELLS(4, SHOWN_IPV4, .interval = true, .counter = true),
	[SET_UNTIL6... SET_UNTIL6_LAST] = LAYER(16, SHOWN_IPV6),
	[SET_EXACT6] = CELLS(16, SHOWN_IPV6, .interval = false, .counter = true),
	[SET_RANGE6... SET_RANGE6_LAST] = CELLS(16, SHOWN_IPV6, .interval = true, .counter = true),
	[SET_RESETS] = { .key_len = 8, .fields = { 4, 4 }, .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_HOME] = { .key_len = 8, .fields = { 4, 4 }, .shown_as = SHOWN2(SHOWN_INTERFACE, SHOWN_MARK) },
	[SET_PACE4] = FILLED(12, PAIRS, .timeout = true),
	[SET_PACE6] = FILLED(36, PAIRS, .timeout = true),
	[SET_PACE_FEW] = FILLED(8, PAIRS, .timeout = false),
	[SET_PACE_MANY] = FILLED(8, PAIRS, .timeout = false),
	[SET_PACE_LINK] = FILLED(8, PAIRS, .timeout = false),
	[SET_SHARE4] = FILLED(16, PARTS, .timeout = false),
	[SET_SHARE6] = FILLED(40, PARTS, .timeout = false),
	[SET_SHARE_ZONE] = FILLED(12, PARTS, .timeout = false),
	[SET_AGES] = FILLED(4, PARTS, .timeout = true),
	[SET_IDLES] = FILLED(4, PARTS, .timeout = true),
	[SET_APART4] = APART(4, SHOWN_IPV4),
	[SET_APART6] = APART(16, SHOWN_IPV6),
	[SET_APART4_NEXT] = APART(4, SHOWN_IPV4),
	[SET_APART6_NEXT] = APART(16, SHOWN_IPV6),
	[SET_KEPT4] = KEPT(4, SHOWN_IPV4),
	[SET_KEPT6] = KEPT(16, SHOWN_IPV6),
	[SET_KEPT4_NEXT] = KEPT(4, SHOWN_IPV4),
	[SET_KEPT6_NEXT] = KEPT(16, SHOWN_IPV6),
	[SET_PARTED... SET_SWITCH] = { .key_len = 4, .fields = { 4 }, .shown_as = SHOWN_INTEGER },
	[SET_BRIDGE4... SET_BRIDGE4_LAYERS_LAST] = BRIDGE(4, SHOWN_IPV4),
	[SET_BRIDGE6... SET_BRIDGE6_LAYERS_LAST] = BRIDGE(16, SHOWN_IPV6),
	[TABLE_LANES] = DISPATCH,
	[TABLE_OUTCOMES] = DISPATCH,
	[TABLE_UNANSWERED] = DISPATCH,
	[TABLE_GENERATION] = { .key_len = 32, .fields = { 32 }, .shown_as = SHOWN_INTEGER },
	[TABLE_LINGERING] = { .key_len = 4, .fields = { 4 }, .shown_as = SHOWN_MARK },
};

const char *set_name(unsigned set)
{
	static const char *const names[TABLE_SET_COUNT - SET_COUNT] = { "lanes", "outcomes", "unanswered", "generation",
									"lingering" };

	return set < SET_COUNT ? ir_set_name((enum ir_set)set) : names[set - SET_COUNT];
}

const struct set_spec *set_spec(unsigned set)
{
	return &specs[set];
}

void image_init(struct image *i, struct arena *a)
{
	memset(i, 0, sizeof(*i));
	i->arena = a;
}

struct image_element *image_add(struct image *i, unsigned set)
{
	struct image_elements *s = &i->elements[set];

	return arena_grow(i->arena, (void **)&s->list, &s->n, &s->room, sizeof(*s->list));
}

bool image_add_rule(struct image *i, uint32_t chain, uint32_t line, const char *text)
{
	struct image_rule *r = arena_grow(i->arena, (void **)&i->rules, &i->n_rules, &i->room_rules, sizeof(*r));

	if (r == NULL || text == NULL)
		return false;
	*r = (struct image_rule){ .chain = chain, .line = line, .text = text };
	return true;
}

bool image_add_foreign(struct image *i, enum foreign_kind kind, const char *name, const char *what)
{
	struct image_foreign *f =
		arena_grow(i->arena, (void **)&i->foreign, &i->n_foreign, &i->room_foreign, sizeof(*f));

	if (f == NULL || what == NULL)
		return false;
	*f = (struct image_foreign){ .what = what, .name = name, .kind = (uint8_t)kind };
	return true;
}

static int element_cmp(const void *a, const void *b)
{
	const struct image_element *x = a, *y = b;
	int r = memcmp(x->key, y->key, IMAGE_KEY);

	return r != 0 ? r : memcmp(x->key_end, y->key_end, IMAGE_KEY);
}

void image_sort(struct image *i)
{
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++) {
		struct image_elements *e = &i->elements[s];

		size_t k = 1;

		while (k < e->n && element_cmp(&e->list[k - 1], &e->list[k]) <= 0)
			k++;
		if (k < e->n) /* this is quick, because most of the list is sorted already */
			qsort(e->list, e->n, sizeof(*e->list), element_cmp);
	}
}

const struct image_element *image_find(const struct image *i, unsigned set, const uint8_t *key, const uint8_t *key_end)
{
	const struct image_elements *e = &i->elements[set];
	uint32_t n = specs[set].key_len;
	struct image_element wanted = { 0 };

	if (e->n == 0)
		return NULL;
	memcpy(wanted.key, key, n);
	memcpy(wanted.key_end, key_end, n);
	return bsearch(&wanted, e->list, e->n, sizeof(*e->list), element_cmp);
}

bool image_digest(const struct image *i, uint8_t ret[32])
{
	const struct image_elements *e = &i->elements[TABLE_GENERATION];

	if (e->n != 1)
		return false;
	memcpy(ret, e->list[0].key, 32);
	return true;
}

static bool near(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= TIME_SLACK : b - a <= TIME_SLACK;
}

bool image_ending(const struct image_element *el, uint64_t now)
{
	return el->until != 0 && near(el->until, now);
}

static bool time_equal(uint64_t a, uint64_t b, bool exact)
{
	return a == 0 || b == 0 || exact ? a == b : near(a, b);
}

static bool element_equal(const struct set_spec *s, const struct image_element *a, const struct image_element *b,
			  bool exact)
{
	if (s->map && a->data != b->data)
		return false;
	if (s->verdict_map && (a->verdict != b->verdict || a->chain != b->chain || a->verdict == VERDICT_FOREIGN))
		return false;
	return time_equal(a->until, b->until, exact);
}

static bool note_change(struct arena *a, struct element_change **list, size_t *n, size_t *room, unsigned set,
			const struct image_element *el)
{
	struct element_change *c = arena_grow(a, (void **)list, n, room, sizeof(*c));

	if (c == NULL)
		return false;
	*c = (struct element_change){ .set = set, .element = el };
	return true;
}

int image_diff(const struct image *have, const struct image *want, uint64_t now, struct arena *a,
	       struct element_diff *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned s = 0; s < TABLE_SET_COUNT; s++) {
		const struct image_elements *h = &have->elements[s], *w = &want->elements[s];
		size_t x = 0, y = 0;

		while (x < h->n || y < w->n) {
			int r = x == h->n ? 1 : y == w->n ? -1 : element_cmp(&h->list[x], &w->list[y]);
			bool gone = r<0, added = r> 0;

			if (r == 0 && !element_equal(&specs[s], &h->list[x], &w->list[y], want->exact))
				gone = added = true;
			if (r > 0 && image_ending(&w->list[y], now))
				added = false;
			if (gone && !note_change(a, &ret->gone, &ret->n_gone, &ret->room_gone, s, &h->list[x]))
				return -ENOMEM;
			if (added && !note_change(a, &ret->added, &ret->n_added, &ret->room_added, s, &w->list[y]))
				return -ENOMEM;
			x += r <= 0;
			y += r >= 0;
		}
	}
	return 0;
}

size_t image_ends(const struct image *i)
{
	size_t n = 0;

	for (unsigned s = SET_LIVE; s < SET_CELLS_END; s++)
		for (size_t k = 0; k < i->elements[s].n; k++)
			n += i->elements[s].list[k].until != 0;
	return n;
}

bool image_rules_equal(const struct image *have, const struct image *want)
{
	if (have->n_rules != want->n_rules)
		return false;
	for (size_t n = 0; n < want->n_rules; n++)
		if (have->rules[n].chain != want->rules[n].chain ||
		    strcmp(have->rules[n].text, want->rules[n].text) != 0)
			return false;
	return true;
}
