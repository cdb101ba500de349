/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/commands.h"

#include <string.h>

#include "appliance/base/sha256.h"

/*
 * The form of the image: magic, version, six counts, then permits, grants, rows, spaces, ranges and
 * names; all big-endian and without padding. Grants are in the order of their permits. Rows,
 * spaces, ranges and names may be shared, because many conduits use the same service.
 */
#define IMAGE_MAGIC 0x534b4354u /* "SKCT" */

#define WIRE_HEADER 30u
#define WIRE_SET 9u
#define WIRE_PERMIT (19u + WIRE_SET)
#define WIRE_GRANT 33u
#define WIRE_ROW (17u + (TARGET_MAX + 2u) * WIRE_SET)
#define WIRE_SPACE (1u + WIRE_SET)
#define WIRE_RANGE 16u

/* COMMANDS_MEMORY: nothing takes more than twice the bytes in memory that it has in the image. */
_Static_assert(sizeof(struct command_permit) <= 2 * WIRE_PERMIT, "permits grow too much in memory");
_Static_assert(sizeof(struct command_grant) <= 2 * WIRE_GRANT, "grants grow too much in memory");
_Static_assert(sizeof(struct command_row) <= 2 * WIRE_ROW, "rows grow too much in memory");
_Static_assert(sizeof(struct space_set) <= 2 * WIRE_SPACE, "spaces grow too much in memory");
_Static_assert(sizeof(struct number_range) <= 2 * WIRE_RANGE, "ranges grow too much in memory");

size_t commands_size(const struct command_table *t)
{
	return WIRE_HEADER + (size_t)t->n_permits * WIRE_PERMIT + (size_t)t->n_grants * WIRE_GRANT +
	       (size_t)t->n_rows * WIRE_ROW + (size_t)t->n_spaces * WIRE_SPACE + (size_t)t->n_ranges * WIRE_RANGE +
	       t->n_names;
}

static void put_set(struct outbuf *o, const struct number_set *s)
{
	out_u8(o, s->any);
	out_be32(o, s->first);
	out_be32(o, s->n);
}

static void put_row(struct outbuf *o, const struct command_row *r)
{
	put_set(o, &r->services);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		put_set(o, &r->targets[i]);
	put_set(o, &r->values);
	out_u8(o, r->spaces_any);
	out_be32(o, r->first_space);
	out_be32(o, r->n_spaces);
	out_be32(o, r->line);
	out_be32(o, r->file);
}

bool commands_encode(const struct command_table *t, struct outbuf *out)
{
	out_be32(out, IMAGE_MAGIC);
	out_be16(out, COMMANDS_VERSION);
	out_be32(out, t->n_permits);
	out_be32(out, t->n_grants);
	out_be32(out, t->n_rows);
	out_be32(out, t->n_spaces);
	out_be32(out, t->n_ranges);
	out_be32(out, t->n_names);
	for (uint32_t i = 0; i < t->n_permits; i++) {
		const struct command_permit *p = &t->permits[i];

		out_be32(out, p->permit);
		out_be32(out, p->lane);
		out_u8(out, p->observe);
		out_u8(out, p->midstream);
		out_u8(out, p->deny_weak_tls);
		put_set(out, &p->ports);
		out_be32(out, p->first_grant);
		out_be32(out, p->n_grants);
	}
	for (uint32_t i = 0; i < t->n_grants; i++) {
		const struct command_grant *g = &t->grants[i];

		out_be32(out, g->conduit);
		out_be32(out, g->line);
		out_be16(out, g->protocol);
		out_u8(out, g->whole);
		out_u8(out, g->shadow);
		out_u8(out, g->lenient);
		out_be32(out, g->undecided_bytes);
		out_be32(out, g->first_row);
		out_be32(out, g->n_rows);
		out_be32(out, g->first_name);
		out_be32(out, g->n_names);
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
		put_row(out, &t->rows[i]);
	for (uint32_t i = 0; i < t->n_spaces; i++) {
		out_u8(out, t->spaces[i].space);
		put_set(out, &t->spaces[i].numbers);
	}
	for (uint32_t i = 0; i < t->n_ranges; i++) {
		out_be64(out, t->ranges[i].lo);
		out_be64(out, t->ranges[i].hi);
	}
	out_bytes(out, t->names, t->n_names);
	return !out->failed;
}

/* ---- decoding: read everything, then check every rule ---------------------------------------- */

static bool get_flag(struct bytes *b, bool *ret)
{
	uint8_t v;

	bytes_u8(b, &v);
	*ret = v == 1;
	return v <= 1;
}

static bool get_set(struct bytes *b, struct number_set *ret)
{
	bool ok = get_flag(b, &ret->any);

	bytes_be32(b, &ret->first);
	bytes_be32(b, &ret->n);
	return ok && ((!ret->any && ret->n > 0) || ret->first == 0) && (!ret->any || ret->n == 0);
}

static bool get_permit(struct bytes *b, struct command_permit *p)
{
	struct lane unused;
	bool ok;

	bytes_be32(b, &p->permit);
	bytes_be32(b, &p->lane);
	ok = get_flag(b, &p->observe);
	bytes_u8(b, &p->midstream);
	ok = get_flag(b, &p->deny_weak_tls) && ok;
	ok = get_set(b, &p->ports) && ok;
	bytes_be32(b, &p->first_grant);
	bytes_be32(b, &p->n_grants);
	return ok && p->permit >= 1 && p->permit <= PERMIT_MAX && p->midstream <= MID_PICK_UP &&
	       (p->lane == LANE_NONE || lane_of(p->lane, &unused));
}

static bool get_grant(struct bytes *b, struct command_grant *g)
{
	bool ok;

	bytes_be32(b, &g->conduit);
	bytes_be32(b, &g->line);
	bytes_be16(b, &g->protocol);
	ok = get_flag(b, &g->whole);
	ok = get_flag(b, &g->shadow) && ok;
	_Static_assert(LENIENT_ALL == UINT8_MAX, "any byte is a set of these words");
	bytes_u8(b, &g->lenient);
	bytes_be32(b, &g->undecided_bytes);
	bytes_be32(b, &g->first_row);
	bytes_be32(b, &g->n_rows);
	bytes_be32(b, &g->first_name);
	bytes_be32(b, &g->n_names);
	return ok && (g->n_names > 0 || g->first_name == 0) && protocol_known(g->protocol) &&
	       (!g->whole || g->n_rows == 0) && (g->n_rows > 0 || g->first_row == 0);
}

static bool get_row(struct bytes *b, struct command_row *r)
{
	bool ok = get_set(b, &r->services);

	for (unsigned i = 0; i < TARGET_MAX; i++)
		ok = get_set(b, &r->targets[i]) && ok;
	ok = get_set(b, &r->values) && ok;
	ok = get_flag(b, &r->spaces_any) && ok;
	bytes_be32(b, &r->first_space);
	bytes_be32(b, &r->n_spaces);
	bytes_be32(b, &r->line);
	bytes_be32(b, &r->file);
	return ok && (r->n_spaces > 0 ? !r->spaces_any : r->first_space == 0);
}

static bool get_rows(struct bytes *b, struct command_table *t)
{
	for (uint32_t i = 0; i < t->n_rows; i++)
		if (!get_row(b, &t->rows[i]))
			return false;
	for (uint32_t i = 0; i < t->n_spaces; i++) {
		struct space_set *s = &t->spaces[i];

		bytes_u8(b, &s->space);
		if (!get_set(b, &s->numbers) || s->space >= SPACE_MAX || (!s->numbers.any && s->numbers.n == 0))
			return false;
	}
	for (uint32_t i = 0; i < t->n_ranges; i++) {
		bytes_be64(b, &t->ranges[i].lo);
		bytes_be64(b, &t->ranges[i].hi);
	}
	for (uint32_t i = 0; i < t->n_names; i++)
		bytes_u8(b, &t->names[i]);
	return true;
}

static bool range_inside(uint32_t first, uint32_t n, uint32_t total)
{
	return first <= total && n <= total - first;
}

/* Whether the set lies inside the pool and is sorted and disjoint. number_in and number_covers
 * search it by halving. */
static bool set_holds(const struct command_table *t, const struct number_set *s)
{
	if (!range_inside(s->first, s->n, t->n_ranges))
		return false;
	for (uint32_t i = 1; i < s->n; i++)
		if (t->ranges[s->first + i].lo <= t->ranges[s->first + i - 1].hi)
			return false;
	return true;
}

static bool row_holds(const struct command_table *t, const struct command_row *r)
{
	if (!range_inside(r->first_space, r->n_spaces, t->n_spaces) || !set_holds(t, &r->services) ||
	    !set_holds(t, &r->values))
		return false;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		if (!set_holds(t, &r->targets[i]))
			return false;
	for (uint32_t i = 1; i < r->n_spaces; i++)
		if (t->spaces[r->first_space + i].space <= t->spaces[r->first_space + i - 1].space)
			return false;
	return true;
}

static bool table_holds(const struct command_table *t)
{
	for (uint32_t i = 0; i < t->n_ranges; i++)
		if (t->ranges[i].lo > t->ranges[i].hi)
			return false;
	for (uint32_t i = 0; i < t->n_permits; i++) {
		const struct command_permit *p = &t->permits[i];

		if (i > 0 && p->permit <= t->permits[i - 1].permit)
			return false;
		if (!range_inside(p->first_grant, p->n_grants, t->n_grants) || !set_holds(t, &p->ports))
			return false;
	}
	for (uint32_t i = 0; i < t->n_grants; i++) {
		const struct command_grant *g = &t->grants[i];

		if (!range_inside(g->first_row, g->n_rows, t->n_rows) ||
		    !range_inside(g->first_name, g->n_names, t->n_names) || !names_hold(grant_names(t, g)))
			return false;
	}
	for (uint32_t i = 0; i < t->n_spaces; i++)
		if (!set_holds(t, &t->spaces[i].numbers))
			return false;
	for (uint32_t i = 0; i < t->n_rows; i++)
		if (!row_holds(t, &t->rows[i]))
			return false;
	return true;
}

/* Takes the next array from the caller's memory. NULL: it does not fit. */
static void *carve(uint8_t *memory, size_t size, size_t *used, size_t n, size_t each)
{
	size_t at = (*used + 15u) / 16u * 16u;

	if (at > size || n > (size - at) / each)
		return NULL;
	*used = at + n * each;
	return memory + at;
}

size_t commands_memory(const struct command_table *t)
{
	size_t each[] = { t->n_permits * sizeof(*t->permits), t->n_grants * sizeof(*t->grants),
			  t->n_rows * sizeof(*t->rows),	      t->n_spaces * sizeof(*t->spaces),
			  t->n_ranges * sizeof(*t->ranges),   t->n_names },
	       used = 0;

	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		used = (used + 15u) / 16u * 16u + each[i];
	return used;
}

static bool carve_all(void *memory, size_t size, struct command_table *t)
{
	size_t used = 0;

	t->permits = carve(memory, size, &used, t->n_permits, sizeof(*t->permits));
	t->grants = carve(memory, size, &used, t->n_grants, sizeof(*t->grants));
	t->rows = carve(memory, size, &used, t->n_rows, sizeof(*t->rows));
	t->spaces = carve(memory, size, &used, t->n_spaces, sizeof(*t->spaces));
	t->ranges = carve(memory, size, &used, t->n_ranges, sizeof(*t->ranges));
	t->names = carve(memory, size, &used, t->n_names, 1);
	return t->permits != NULL && t->grants != NULL && t->rows != NULL && t->spaces != NULL && t->ranges != NULL &&
	       t->names != NULL;
}

/* Reads the counts and checks them against the length of the rest. */
static bool header(struct bytes *b, struct command_table *t)
{
	uint16_t version;
	uint32_t magic;

	bytes_be32(b, &magic);
	bytes_be16(b, &version);
	bytes_be32(b, &t->n_permits);
	bytes_be32(b, &t->n_grants);
	bytes_be32(b, &t->n_rows);
	bytes_be32(b, &t->n_spaces);
	bytes_be32(b, &t->n_ranges);
	bytes_be32(b, &t->n_names);
	/* The counts have 32 bits, and no entry is larger than WIRE_ROW, so the sum does not
	 * overflow 64 bits. */
	return !b->failed && magic == IMAGE_MAGIC && version == COMMANDS_VERSION &&
	       (uint64_t)t->n_permits * WIRE_PERMIT + (uint64_t)t->n_grants * WIRE_GRANT +
			       (uint64_t)t->n_rows * WIRE_ROW + (uint64_t)t->n_spaces * WIRE_SPACE +
			       (uint64_t)t->n_ranges * WIRE_RANGE + t->n_names ==
		       b->left;
}

static bool table_decode(struct bytes b, void *memory, size_t size, struct command_table *t)
{
	if (!header(&b, t) || !carve_all(memory, size, t))
		return false;
	for (uint32_t i = 0; i < t->n_permits; i++)
		if (!get_permit(&b, &t->permits[i]))
			return false;
	for (uint32_t i = 0; i < t->n_grants; i++)
		if (!get_grant(&b, &t->grants[i]))
			return false;
	return get_rows(&b, t) && bytes_done(&b) && table_holds(t);
}

bool commands_decode(struct bytes image, void *memory, size_t size, struct command_table *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!table_decode(image, memory, size, ret)) {
		memset(ret, 0, sizeof(*ret));
		return false;
	}
	sha256(image.p, image.left, ret->digest);
	return true;
}

/* ---- lookups --------------------------------------------------------------------------------- */

const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit)
{
	uint32_t lo = 0, hi = t->n_permits;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->permits[mid].permit == permit)
			return &t->permits[mid];
		if (t->permits[mid].permit < permit)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct number_set *row_space(const struct command_table *t, const struct command_row *row, uint8_t space)
{
	for (uint32_t i = 0; i < row->n_spaces; i++)
		if (t->spaces[row->first_space + i].space == space)
			return &t->spaces[row->first_space + i].numbers;
	return NULL;
}

/* Index of the range that holds `value`, or s->n. */
static uint32_t range_of(const struct command_table *t, const struct number_set *s, uint64_t value)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct number_range *r = &t->ranges[s->first + mid];

		if (value < r->lo)
			hi = mid;
		else if (value > r->hi)
			lo = mid + 1;
		else
			return mid;
	}
	return s->n;
}

bool number_in_some(const struct command_table *t, const struct number_set *s, uint64_t value)
{
	return range_of(t, s, value) < s->n;
}

bool number_covers(const struct command_table *t, const struct number_set *s, uint64_t lo, uint64_t hi)
{
	if (s->any)
		return true;
	if (lo > hi)
		return false;
	for (uint32_t i = range_of(t, s, lo); i < s->n; i++) {
		const struct number_range *r = &t->ranges[s->first + i];

		if (hi <= r->hi)
			return true;
		/* The next range must begin directly behind this one. */
		if (i + 1 == s->n || t->ranges[s->first + i + 1].lo != r->hi + 1)
			return false;
	}
	return false;
}

/* ---- names of servers ------------------------------------------------------------------------ */

struct bytes grant_names(const struct command_table *t, const struct command_grant *g)
{
	return bytes_of(g->n_names > 0 ? t->names + g->first_name : NULL, g->n_names);
}

static bool is_of_a_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool names_next(struct bytes *list, struct bytes *ret)
{
	uint8_t n;

	return bytes_u8(list, &n) && bytes_take(list, n, ret);
}

/* Whether the first label of the name is the wildcard, and other labels follow. */
static bool is_wide(struct bytes name)
{
	uint8_t star, dot;

	return name.left > 2 && bytes_u8(&name, &star) && bytes_u8(&name, &dot) && star == '*' && dot == '.';
}

static bool name_holds(struct bytes name)
{
	uint8_t c;

	if (name.left == 0 || name.left > NAME_BYTES || (is_wide(name) && !bytes_skip(&name, 2)))
		return false;
	while (name.left > 0)
		if (!bytes_u8(&name, &c) || !is_of_a_name(c))
			return false;
	return true;
}

static bool stands_before(struct bytes a, struct bytes b)
{
	size_t n = a.left < b.left ? a.left : b.left;
	int c = memcmp(a.p, b.p, n);

	return c < 0 || (c == 0 && a.left < b.left);
}

bool names_hold(struct bytes list)
{
	struct bytes before = { 0 }, name;

	for (unsigned n = 0; list.left > 0; n++) {
		if (n == NAMES_MAX || !names_next(&list, &name) || !name_holds(name) ||
		    (n > 0 && !stands_before(before, name)))
			return false;
		before = name;
	}
	return true;
}

/* Whether the declared name is equal to `name`, ignoring case. */
static bool is_name(struct bytes declared, const char *name)
{
	uint8_t c;

	while (declared.left > 0 && bytes_u8(&declared, &c)) {
		uint8_t is = (uint8_t)*name++;

		if (c != (is >= 'A' && is <= 'Z' ? is + ('a' - 'A') : is))
			return false;
	}
	return *name == '\0';
}

bool names_declare(struct bytes list, const char *name)
{
	const char *parent = strchr(name, '.');
	struct bytes declared;

	while (list.left > 0 && names_next(&list, &declared)) {
		bool wide = is_wide(declared);

		if (wide && (parent == NULL || parent == name || !bytes_skip(&declared, 2)))
			continue;
		if (is_name(declared, wide ? parent + 1 : name))
			return true;
	}
	return false;
}
