/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appliance/wire/commands_image.h"

#define OLD_SPACES 4u /* only Modbus had rows */

struct old_row {
	uint64_t functions[4], units[4]; /* a bit for each code and each unit */
	bool units_any;			 /* none named: all but 0 */
	bool spaces_any;
	struct number_set spaces[OLD_SPACES], values;
	uint32_t line, file;
};

static bool get_row(struct bytes *b, uint16_t version, struct old_row *r)
{
	bool ok;

	for (unsigned i = 0; i < 4; i++)
		bytes_be64(b, &r->functions[i]);
	for (unsigned i = 0; i < 4; i++)
		bytes_be64(b, &r->units[i]);
	ok = image_get_flag(b, &r->units_any);
	ok = image_get_flag(b, &r->spaces_any) && ok;
	for (unsigned i = 0; i < OLD_SPACES; i++)
		ok = image_get_set(b, &r->spaces[i]) && ok;
	ok = image_get_set(b, &r->values) && ok;
	bytes_be32(b, &r->line);
	r->file = 0;
	if (version >= IMAGE_ROW_FILE)
		bytes_be32(b, &r->file);
	return ok && !b->failed;
}

static bool has(const uint64_t bits[4], unsigned i)
{
	return (bits[i / 64u] >> (i % 64u)) & 1u;
}

/* Whether the units say no more than that none was named. Anything else means what its bits say. */
static bool any_unit(const struct old_row *r)
{
	static const uint64_t all_but_0[4] = { UINT64_MAX - 1u, UINT64_MAX, UINT64_MAX, UINT64_MAX };

	return r->units_any && memcmp(r->units, all_but_0, sizeof(all_but_0)) == 0;
}

/* Runs of bits as ranges; `to` may be NULL. */
static uint32_t runs(const uint64_t bits[4], struct number_range *to)
{
	uint32_t n = 0;

	for (unsigned lo = 0, hi; lo < 256; lo = hi + 1) {
		hi = lo;
		if (!has(bits, lo))
			continue;
		while (hi < 255 && has(bits, hi + 1))
			hi++;
		if (to != NULL)
			to[n] = (struct number_range){ lo, hi };
		n++;
	}
	return n;
}

static bool named(const struct old_row *r, unsigned space)
{
	return !r->spaces_any && (r->spaces[space].any || r->spaces[space].n > 0);
}

bool image_count_older(struct bytes rows, uint16_t version, uint32_t n, uint64_t *ret_spaces, uint64_t *ret_ranges)
{
	struct old_row r;

	for (uint32_t i = 0; i < n; i++) {
		if (!get_row(&rows, version, &r))
			return false;
		*ret_ranges += runs(r.functions, NULL) + (any_unit(&r) ? 0 : runs(r.units, NULL));
		for (unsigned s = 0; s < OLD_SPACES; s++)
			*ret_spaces += named(&r, s);
	}
	return true;
}

static struct number_set put_bits(struct command_table *t, const uint64_t bits[4])
{
	struct number_set s = { .first = t->n_ranges, .n = runs(bits, t->ranges + t->n_ranges) };

	t->n_ranges += s.n;
	s.first = s.n > 0 ? s.first : 0;
	return s;
}

static void put_row(struct command_table *t, const struct old_row *from, struct command_row *to)
{
	*to = (struct command_row){
		.values = from->values, .spaces_any = from->spaces_any, .line = from->line, .file = from->file
	};
	to->services = put_bits(t, from->functions);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		to->targets[i].any = true;
	if (!any_unit(from))
		to->targets[0] = put_bits(t, from->units);
	for (unsigned s = 0; s < OLD_SPACES; s++) {
		if (!named(from, s))
			continue;
		if (to->n_spaces++ == 0)
			to->first_space = t->n_spaces;
		t->spaces[t->n_spaces++] = (struct space_set){ (uint8_t)s, from->spaces[s] };
	}
}

bool image_get_older(struct bytes *b, struct command_table *t, uint32_t n_ranges)
{
	struct old_row r;

	t->n_spaces = 0;
	t->n_ranges = n_ranges;
	for (uint32_t i = 0; i < t->n_rows; i++) {
		if (!get_row(b, t->version, &r))
			return false;
		put_row(t, &r, &t->rows[i]);
	}
	for (uint32_t i = 0; i < n_ranges; i++) {
		uint32_t lo, hi;

		bytes_be32(b, &lo);
		bytes_be32(b, &hi);
		t->ranges[i] = (struct number_range){ lo, hi };
	}
	return true;
}
