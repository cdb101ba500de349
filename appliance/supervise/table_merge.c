/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/table_merge.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/commands.h"
#include "appliance/wire/lane.h"

struct side {
	struct command_table t;
	void *memory;
	/* new position of each row, range and byte of names that is used */
	uint32_t *row_at, *range_at, *name_at;
	bool *permit_used;
	uint32_t n_rows, n_ranges, n_names; /* used */
};

static bool side_open(struct side *s, const uint8_t *image, size_t n)
{
	size_t size = COMMANDS_MEMORY(n);

	s->memory = aligned_alloc(16, (size + 15) / 16 * 16);
	if (s->memory == NULL || !commands_decode(bytes_of(image, n), s->memory, size, &s->t))
		return false;
	s->row_at = calloc((size_t)s->t.n_rows + 1, sizeof(*s->row_at));
	s->range_at = calloc((size_t)s->t.n_ranges + 1, sizeof(*s->range_at));
	s->name_at = calloc((size_t)s->t.n_names + 1, sizeof(*s->name_at));
	s->permit_used = calloc((size_t)s->t.n_permits + 1, sizeof(*s->permit_used));
	return s->row_at != NULL && s->range_at != NULL && s->name_at != NULL && s->permit_used != NULL;
}

static void side_close(struct side *s)
{
	free(s->memory);
	free(s->row_at);
	free(s->range_at);
	free(s->name_at);
	free(s->permit_used);
}

static void use_set(struct side *s, const struct number_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		s->range_at[set->first + i] = 1;
}

static void use_row(struct side *s, uint32_t row)
{
	const struct command_row *r = &s->t.rows[row];

	s->row_at[row] = 1;
	use_set(s, &r->services);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		use_set(s, &r->targets[i]);
	for (uint32_t i = 0; i < r->n_spaces; i++)
		use_set(s, &s->t.spaces[r->first_space + i].numbers);
	use_set(s, &r->values);
}

/* Marks what the used permits refer to, then gives each its new position, from `row`, `range` and
 * `name` on. The order stays, so what was adjacent stays adjacent. */
static void side_place(struct side *s, uint32_t row, uint32_t range, uint32_t name)
{
	for (uint32_t p = 0; p < s->t.n_permits; p++) {
		const struct command_permit *permit = &s->t.permits[p];

		if (!s->permit_used[p])
			continue;
		use_set(s, &permit->ports);
		for (uint32_t g = 0; g < permit->n_grants; g++) {
			const struct command_grant *grant = &s->t.grants[permit->first_grant + g];

			for (uint32_t r = 0; r < grant->n_rows; r++)
				use_row(s, grant->first_row + r);
			for (uint32_t n = 0; n < grant->n_names; n++)
				s->name_at[grant->first_name + n] = 1;
		}
	}
	for (uint32_t i = 0; i < s->t.n_rows; i++)
		if (s->row_at[i] != 0)
			s->row_at[i] = row + s->n_rows++;
	for (uint32_t i = 0; i < s->t.n_ranges; i++)
		if (s->range_at[i] != 0)
			s->range_at[i] = range + s->n_ranges++;
	for (uint32_t i = 0; i < s->t.n_names; i++)
		if (s->name_at[i] != 0)
			s->name_at[i] = name + s->n_names++;
}

static void move_set(const struct side *s, struct number_set *set)
{
	if (set->n > 0)
		set->first = s->range_at[set->first];
}

static void put_pools(const struct side *s, const bool *row_used, const bool *range_used, const bool *name_used,
		      struct command_table *out)
{
	for (uint32_t i = 0; i < s->t.n_rows; i++) {
		struct command_row *r;

		if (!row_used[i])
			continue;
		r = &out->rows[out->n_rows++];
		*r = s->t.rows[i];
		move_set(s, &r->services);
		for (unsigned k = 0; k < TARGET_MAX; k++)
			move_set(s, &r->targets[k]);
		move_set(s, &r->values);
		r->first_space = r->n_spaces > 0 ? out->n_spaces : 0;
		for (uint32_t k = 0; k < r->n_spaces; k++) {
			struct space_set *space = &out->spaces[out->n_spaces++];

			*space = s->t.spaces[s->t.rows[i].first_space + k];
			move_set(s, &space->numbers);
		}
	}
	for (uint32_t i = 0; i < s->t.n_ranges; i++)
		if (range_used[i])
			out->ranges[out->n_ranges++] = s->t.ranges[i];
	for (uint32_t i = 0; i < s->t.n_names; i++)
		if (name_used[i])
			out->names[out->n_names++] = s->t.names[i];
}

static void put_permit(const struct side *s, uint32_t p, struct command_table *out)
{
	struct command_permit *to = &out->permits[out->n_permits++];
	const struct command_permit *from = &s->t.permits[p];

	*to = *from;
	move_set(s, &to->ports);
	to->first_grant = out->n_grants;
	for (uint32_t g = 0; g < from->n_grants; g++) {
		struct command_grant *grant = &out->grants[out->n_grants++];

		*grant = s->t.grants[from->first_grant + g];
		if (grant->n_rows > 0)
			grant->first_row = s->row_at[grant->first_row];
		if (grant->n_names > 0)
			grant->first_name = s->name_at[grant->first_name];
	}
}

/* What has a place; taken before positions, where 0 may be a place, are given. */
static bool snapshot(const uint32_t *marks, uint32_t n, bool **ret)
{
	*ret = calloc((size_t)n + 1, sizeof(**ret));
	for (uint32_t i = 0; *ret != NULL && i < n; i++)
		(*ret)[i] = marks[i] != 0;
	return *ret != NULL;
}

/* Each row gets a list of its own. */
static size_t spaces_of(const struct side *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->t.n_rows; i++)
		n += s->t.rows[i].n_spaces;
	return n;
}

static bool out_alloc(struct command_table *out, const struct side *a, const struct side *b)
{
	out->permits = calloc((size_t)a->t.n_permits + b->t.n_permits + 1, sizeof(*out->permits));
	out->grants = calloc((size_t)a->t.n_grants + b->t.n_grants + 1, sizeof(*out->grants));
	out->rows = calloc((size_t)a->t.n_rows + b->t.n_rows + 1, sizeof(*out->rows));
	out->spaces = calloc(spaces_of(a) + spaces_of(b) + 1, sizeof(*out->spaces));
	out->ranges = calloc((size_t)a->t.n_ranges + b->t.n_ranges + 1, sizeof(*out->ranges));
	out->names = calloc((size_t)a->t.n_names + b->t.n_names + 1, 1);
	return out->permits != NULL && out->grants != NULL && out->rows != NULL && out->spaces != NULL &&
	       out->ranges != NULL && out->names != NULL;
}

uint8_t *table_merge(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b,
		     bool (*keep)(const void *ctx, uint32_t permit), const void *ctx, size_t *ret_n)
{
	struct side x = { 0 }, y = { 0 };
	struct command_table out = { 0 };
	bool *marks[6] = { 0 };
	uint8_t *image = NULL;
	struct outbuf o;

	if (!side_open(&x, a, n_a) || !side_open(&y, b, n_b) || !out_alloc(&out, &x, &y))
		goto done;
	memset(x.permit_used, 1, x.t.n_permits);
	for (uint32_t i = 0; i < y.t.n_permits; i++)
		y.permit_used[i] = commands_permit(&x.t, y.t.permits[i].permit) == NULL &&
				   (keep == NULL || keep(ctx, y.t.permits[i].permit));
	/* One more than the place, while placing: 0 stays "not used". */
	side_place(&x, 1, 1, 1);
	side_place(&y, 1 + x.n_rows, 1 + x.n_ranges, 1 + x.n_names);
	if (!snapshot(x.row_at, x.t.n_rows, &marks[0]) || !snapshot(x.range_at, x.t.n_ranges, &marks[1]) ||
	    !snapshot(y.row_at, y.t.n_rows, &marks[2]) || !snapshot(y.range_at, y.t.n_ranges, &marks[3]) ||
	    !snapshot(x.name_at, x.t.n_names, &marks[4]) || !snapshot(y.name_at, y.t.n_names, &marks[5]))
		goto done;
	for (uint32_t i = 0; i < x.t.n_rows; i++)
		x.row_at[i]--;
	for (uint32_t i = 0; i < x.t.n_ranges; i++)
		x.range_at[i]--;
	for (uint32_t i = 0; i < y.t.n_rows; i++)
		y.row_at[i]--;
	for (uint32_t i = 0; i < y.t.n_ranges; i++)
		y.range_at[i]--;
	for (uint32_t i = 0; i < x.t.n_names; i++)
		x.name_at[i]--;
	for (uint32_t i = 0; i < y.t.n_names; i++)
		y.name_at[i]--;
	put_pools(&x, marks[0], marks[1], marks[4], &out);
	put_pools(&y, marks[2], marks[3], marks[5], &out);
	for (uint32_t i = 0, k = 0; i < x.t.n_permits || k < y.t.n_permits;) {
		if (k < y.t.n_permits && !y.permit_used[k])
			k++;
		else if (k == y.t.n_permits || (i < x.t.n_permits && x.t.permits[i].permit < y.t.permits[k].permit))
			put_permit(&x, i++, &out);
		else
			put_permit(&y, k++, &out);
	}
	*ret_n = commands_size(&out);
	image = malloc(*ret_n);
	o = outbuf_of(image, image != NULL ? *ret_n : 0);
	if (image != NULL && !commands_encode(&out, &o)) {
		free(image);
		image = NULL;
	}
done:
	for (size_t i = 0; i < 6; i++)
		free(marks[i]);
	free(out.permits);
	free(out.grants);
	free(out.rows);
	free(out.spaces);
	free(out.ranges);
	free(out.names);
	side_close(&x);
	side_close(&y);
	return image;
}

uint64_t table_lanes(const uint8_t *image, size_t n)
{
	struct side s = { 0 };
	uint64_t lanes = 0;

	if (side_open(&s, image, n))
		for (uint32_t i = 0; i < s.t.n_permits; i++)
			if (s.t.permits[i].lane != LANE_NONE)
				lanes |= (uint64_t)1 << s.t.permits[i].lane;
	side_close(&s);
	return lanes;
}
