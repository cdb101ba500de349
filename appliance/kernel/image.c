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
#define CELLS(id, text, address, type, ...)                                                                            \
	[id] = { .name = (text),                                                                                       \
		 .key_len = 16 + 2 * (address),                                                                        \
		 .fields = { (address), (address), 1, 2, 4, 4 },                                                       \
		 .shown_as = SHOWN_CELL(type),                                                                         \
		 .map = true,                                                                                          \
		 __VA_ARGS__ }
#define LAYER(id, text, address, type)                                                                                 \
	CELLS(id, text, address, type, .interval = true, .timeout = true, .counter = true)
#define LAYERS(id, text, address, type)                                                                                \
	LAYER(id, text, address, type), LAYER((id) + 1, text "_2", address, type),                                     \
		LAYER((id) + 2, text "_3", address, type), LAYER((id) + 3, text "_4", address, type),                  \
		LAYER((id) + 4, text "_5", address, type), LAYER((id) + 5, text "_6", address, type),                  \
		LAYER((id) + 6, text "_7", address, type), LAYER((id) + 7, text "_8", address, type)
_Static_assert(IR_LAYERS == 8, "one map for each layer");
/* The maps for new cells have the same form as the layers, but no counters. */
#define BRIDGE(id, text, address, type) CELLS(id, text, address, type, .interval = true, .timeout = true)
/* The parts of the ranges of layer 0, and their bridges. */
#define RANGES(id, text, address, type, ...)                                                                           \
	CELLS(id, text, address, type, __VA_ARGS__), CELLS((id) + 1, text "_part_2", address, type, __VA_ARGS__),      \
		CELLS((id) + 2, text "_part_3", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 3, text "_part_4", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 4, text "_part_5", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 5, text "_part_6", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 6, text "_part_7", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 7, text "_part_8", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 8, text "_part_9", address, type, __VA_ARGS__),                                           \
		CELLS((id) + 9, text "_part_10", address, type, __VA_ARGS__),                                          \
		CELLS((id) + 10, text "_part_11", address, type, __VA_ARGS__),                                         \
		CELLS((id) + 11, text "_part_12", address, type, __VA_ARGS__),                                         \
		CELLS((id) + 12, text "_part_13", address, type, __VA_ARGS__),                                         \
		CELLS((id) + 13, text "_part_14", address, type, __VA_ARGS__),                                         \
		CELLS((id) + 14, text "_part_15", address, type, __VA_ARGS__),                                         \
		CELLS((id) + 15, text "_part_16", address, type, __VA_ARGS__)
_Static_assert(IR_PARTS == 16, "one map for each part");
#define BRIDGES(id, text, address, type)                                                                               \
	RANGES(id, text, address, type, .interval = true, .timeout = true),                                            \
		BRIDGE((id) + IR_PARTS, text "_1", address, type),                                                     \
		BRIDGE((id) + IR_PARTS + 1, text "_2", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 2, text "_3", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 3, text "_4", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 4, text "_5", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 5, text "_6", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 6, text "_7", address, type),                                                 \
		BRIDGE((id) + IR_PARTS + 7, text "_8", address, type)
#define APART(id, text, address, type)                                                                                 \
	[id] = { .name = (text),                                                                                       \
		 .key_len = 2 * (address),                                                                             \
		 .fields = { (address), (address) },                                                                   \
		 .shown_as = SHOWN2(type, type),                                                                       \
		 .interval = true }
#define KEPT(id, text, address, type)                                                                                  \
	[id] = { .name = (text),                                                                                       \
		 .key_len = 2 * (address) + 4,                                                                         \
		 .fields = { (address), (address), 4 },                                                                \
		 .shown_as = SHOWN3(type, type, SHOWN_MARK),                                                           \
		 .interval = true }
#define DISPATCH(id, text)                                                                                             \
	[id] = { .name = (text),                                                                                       \
		 .key_len = 4,                                                                                         \
		 .fields = { 4 },                                                                                      \
		 .shown_as = SHOWN_MARK,                                                                               \
		 .verdict_map = true,                                                                                  \
		 .most = LANE_COUNT }

/* If the set is full, further pairs are not stored, so they are limited only by the share of their
 * zone. */
#define PAIRS 65536u
/* room for each session that connection tracking can hold (box/sysctl.h), because all of them may
 * be in the same part */
#define PARTS 262144u
#define FILLED(id, text, length, keys, ...)                                                                            \
	[id] = { .name = (text),                                                                                       \
		 .key_len = (length),                                                                                  \
		 .shown_as = SHOWN_INTEGER,                                                                            \
		 .most = (keys),                                                                                       \
		 .filled = true,                                                                                       \
		 __VA_ARGS__ }

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
	[SET_LIVE] = { .name = "live",
		       .key_len = 12,
		       .fields = { 4, 1, 4 },
		       .map = true,
		       .timeout = true,
		       .late_ms = LIVE_LATE_MS,
		       .shown_as = SHOWN3(SHOWN_INTERFACE, SHOWN_DIRECTION, SHOWN_MARK) },
	[SET_AGREE] = { .name = "agree",
			.key_len = 8,
			.fields = { 4, 4 },
			.timeout = true,
			.late_ms = AGREE_LATE_MS,
			.shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_TOGETHER] = { .name = "together",
			   .key_len = 8,
			   .fields = { 4, 4 },
			   .timeout = true,
			   .late_ms = TOGETHER_LATE_MS,
			   .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_LIMITED] = { .name = "limited",
			  .key_len = 8,
			  .fields = { 4, 4 },
			  .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	LAYERS(SET_UNTIL4, "until4", 4, SHOWN_IPV4),
	CELLS(SET_EXACT4, "exact4", 4, SHOWN_IPV4, .interval = false, .counter = true),
	RANGES(SET_RANGE4, "range4", 4, SHOWN_IPV4, .interval = true, .counter = true),
	LAYERS(SET_UNTIL6, "until6", 16, SHOWN_IPV6),
	CELLS(SET_EXACT6, "exact6", 16, SHOWN_IPV6, .interval = false, .counter = true),
	RANGES(SET_RANGE6, "range6", 16, SHOWN_IPV6, .interval = true, .counter = true),
	[SET_RESETS] = { .name = "resets",
			 .key_len = 8,
			 .fields = { 4, 4 },
			 .shown_as = SHOWN2(SHOWN_MARK, SHOWN_MARK) },
	[SET_HOME] = { .name = "home",
		       .key_len = 8,
		       .fields = { 4, 4 },
		       .shown_as = SHOWN2(SHOWN_INTERFACE, SHOWN_MARK) },
	FILLED(SET_PACE4, "pace4", 12, PAIRS, .timeout = true),
	FILLED(SET_PACE6, "pace6", 36, PAIRS, .timeout = true),
	FILLED(SET_PACE_FEW, "pace_few", 8, PAIRS, .timeout = false),
	FILLED(SET_PACE_MANY, "pace_many", 8, PAIRS, .timeout = false),
	FILLED(SET_PACE_LINK, "pace_link", 8, PAIRS, .timeout = false),
	FILLED(SET_SHARE4, "share4", 16, PARTS, .timeout = false),
	FILLED(SET_SHARE6, "share6", 40, PARTS, .timeout = false),
	FILLED(SET_SHARE_ZONE, "share_zone", 12, PARTS, .timeout = false),
	FILLED(SET_AGES, "ages", 4, PARTS, .timeout = true),
	FILLED(SET_IDLES, "idles", 4, PARTS, .timeout = true),
	APART(SET_APART4, "apart4", 4, SHOWN_IPV4),
	APART(SET_APART6, "apart6", 16, SHOWN_IPV6),
	APART(SET_APART4_NEXT, "apart4_next", 4, SHOWN_IPV4),
	APART(SET_APART6_NEXT, "apart6_next", 16, SHOWN_IPV6),
	KEPT(SET_KEPT4, "kept4", 4, SHOWN_IPV4),
	KEPT(SET_KEPT6, "kept6", 16, SHOWN_IPV6),
	KEPT(SET_KEPT4_NEXT, "kept4_next", 4, SHOWN_IPV4),
	KEPT(SET_KEPT6_NEXT, "kept6_next", 16, SHOWN_IPV6),
	[SET_SWITCH] = { .name = "switch", .key_len = 4, .fields = { 4 }, .shown_as = SHOWN_INTEGER },
	BRIDGES(SET_BRIDGE4, "bridge4", 4, SHOWN_IPV4),
	BRIDGES(SET_BRIDGE6, "bridge6", 16, SHOWN_IPV6),
	DISPATCH(TABLE_LANES, "lanes"),
	DISPATCH(TABLE_OUTCOMES, "outcomes"),
	DISPATCH(TABLE_UNANSWERED, "unanswered"),
	[TABLE_GENERATION] = { .name = "generation", .key_len = 32, .fields = { 32 }, .shown_as = SHOWN_INTEGER },
	[TABLE_LINGERING] = { .name = "lingering", .key_len = 4, .fields = { 4 }, .shown_as = SHOWN_MARK },
};

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
