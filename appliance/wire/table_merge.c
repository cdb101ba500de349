/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/table_merge.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/wire/commands.h"
#include "appliance/wire/lane.h"

/* The entries of one kind that the merged table takes from one table. */
struct kept {
	uint32_t *at; /* 1 + its position in the merged table; 0 = it is not kept */
	uint32_t n, of;
};

enum kind { GRANTS, ROWS, RANGES, NAMES, KINDS };

struct side {
	struct command_table t;
	void *memory;
	struct kept kept[KINDS];
	bool *permit_used;
};

static bool side_open(struct side *s, const uint8_t *image, size_t n)
{
	size_t size = COMMANDS_MEMORY(n);

	s->memory = aligned_alloc(16, (size + 15) / 16 * 16);
	if (s->memory == NULL || !commands_decode(bytes_of(image, n), s->memory, size, &s->t))
		return false;
	s->kept[GRANTS].of = s->t.n_grants;
	s->kept[ROWS].of = s->t.n_rows;
	s->kept[RANGES].of = s->t.n_ranges;
	s->kept[NAMES].of = s->t.n_names;
	for (unsigned k = 0; k < KINDS; k++) {
		s->kept[k].at = calloc((size_t)s->kept[k].of + 1, sizeof(*s->kept[k].at));
		if (s->kept[k].at == NULL)
			return false;
	}
	s->permit_used = calloc((size_t)s->t.n_permits + 1, sizeof(*s->permit_used));
	return s->permit_used != NULL;
}

static void side_close(struct side *s)
{
	free(s->memory);
	for (unsigned k = 0; k < KINDS; k++)
		free(s->kept[k].at);
	free(s->permit_used);
}

static void use(struct side *s, enum kind k, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s->kept[k].at[first + i] = 1;
}

static void use_set(struct side *s, const struct number_set *set)
{
	use(s, RANGES, set->first, set->n);
}

static void use_row(struct side *s, uint32_t row)
{
	const struct command_row *r = &s->t.rows[row];

	use(s, ROWS, row, 1);
	use_set(s, &r->services);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		use_set(s, &r->targets[i]);
	for (uint32_t i = 0; i < r->n_spaces; i++)
		use_set(s, &s->t.spaces[r->first_space + i].numbers);
	use_set(s, &r->values);
}

/* Marks the entries that used permits refer to. Each then gets its position, after those of the
 * table `before` (NULL: this one is first). The order is kept, so neighbours stay neighbours. */
static void side_place(struct side *s, const struct side *before)
{
	for (uint32_t p = 0; p < s->t.n_permits; p++)
		if (s->permit_used[p]) {
			use_set(s, &s->t.permits[p].ports);
			use(s, GRANTS, s->t.permits[p].first_grant, s->t.permits[p].n_grants);
		}
	for (uint32_t g = 0; g < s->t.n_grants; g++) {
		const struct command_grant *grant = &s->t.grants[g];

		if (s->kept[GRANTS].at[g] == 0)
			continue;
		for (uint32_t r = 0; r < grant->n_rows; r++)
			use_row(s, grant->first_row + r);
		use(s, NAMES, grant->first_name, grant->n_names);
	}
	for (unsigned k = 0; k < KINDS; k++) {
		struct kept *x = &s->kept[k];
		uint32_t first = before != NULL ? before->kept[k].n : 0;

		for (uint32_t i = 0; i < x->of; i++)
			if (x->at[i] != 0)
				x->at[i] = first + ++x->n;
	}
}

/* Replaces *first, the position of `n` entries in this table, by their position in the merged
 * table. */
static void move_first(const struct side *s, enum kind k, uint32_t *first, uint32_t n)
{
	if (n > 0)
		*first = s->kept[k].at[*first] - 1;
}

static void move_set(const struct side *s, struct number_set *set)
{
	move_first(s, RANGES, &set->first, set->n);
}

static bool is_kept(const struct side *s, enum kind k, uint32_t i)
{
	return s->kept[k].at[i] != 0;
}

static void put_pools(const struct side *s, struct command_table *out)
{
	for (uint32_t i = 0; i < s->t.n_grants; i++)
		if (is_kept(s, GRANTS, i)) {
			struct command_grant *g = &out->grants[out->n_grants++];

			*g = s->t.grants[i];
			move_first(s, ROWS, &g->first_row, g->n_rows);
			move_first(s, NAMES, &g->first_name, g->n_names);
		}
	for (uint32_t i = 0; i < s->t.n_rows; i++) {
		struct command_row *r;

		if (!is_kept(s, ROWS, i))
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
		if (is_kept(s, RANGES, i))
			out->ranges[out->n_ranges++] = s->t.ranges[i];
	for (uint32_t i = 0; i < s->t.n_names; i++)
		if (is_kept(s, NAMES, i))
			out->names[out->n_names++] = s->t.names[i];
}

static void put_permit(const struct side *s, uint32_t p, struct command_table *out, const struct table_part *from,
		       struct table *ret)
{
	struct command_permit *to = &out->permits[out->n_permits++];

	ret->permits[ret->n_permits++] =
		(struct table_permit){ s->t.permits[p].permit, from->permits != NULL ? from->permits[p].of : from->of };

	*to = s->t.permits[p];
	move_set(s, &to->ports);
	move_first(s, GRANTS, &to->first_grant, to->n_grants);
}

/* The number of entries in `spaces` if no two rows share any. */
static size_t spaces_of(const struct side *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->t.n_rows; i++)
		n += s->t.rows[i].n_spaces;
	return n;
}

static bool out_alloc(struct command_table *out, const struct side *a, const struct side *b, struct table *ret)
{
	ret->permits = calloc((size_t)a->t.n_permits + b->t.n_permits + 1, sizeof(*ret->permits));
	out->permits = calloc((size_t)a->t.n_permits + b->t.n_permits + 1, sizeof(*out->permits));
	out->grants = calloc((size_t)a->t.n_grants + b->t.n_grants + 1, sizeof(*out->grants));
	out->rows = calloc((size_t)a->t.n_rows + b->t.n_rows + 1, sizeof(*out->rows));
	out->spaces = calloc(spaces_of(a) + spaces_of(b) + 1, sizeof(*out->spaces));
	out->ranges = calloc((size_t)a->t.n_ranges + b->t.n_ranges + 1, sizeof(*out->ranges));
	out->names = calloc((size_t)a->t.n_names + b->t.n_names + 1, 1);
	return ret->permits != NULL && out->permits != NULL && out->grants != NULL && out->rows != NULL &&
	       out->spaces != NULL && out->ranges != NULL && out->names != NULL;
}

void table_drop(struct table *t)
{
	free(t->image);
	free(t->permits);
	*t = (struct table){ .image = NULL };
}

bool table_merge(const struct table_part *a, const struct table_part *b, bool (*keep)(const void *ctx, uint32_t permit),
		 const void *ctx, struct table *ret)
{
	struct side x = { 0 }, y = { 0 };
	struct command_table out = { 0 };
	struct outbuf o;

	*ret = (struct table){ .image = NULL };
	if (!side_open(&x, a->image, a->n) || !side_open(&y, b->image, b->n) || !out_alloc(&out, &x, &y, ret))
		goto done;
	memset(x.permit_used, 1, x.t.n_permits);
	for (uint32_t i = 0; i < y.t.n_permits; i++)
		y.permit_used[i] = commands_permit(&x.t, y.t.permits[i].permit) == NULL &&
				   (keep == NULL || keep(ctx, y.t.permits[i].permit));
	side_place(&x, NULL);
	side_place(&y, &x);
	put_pools(&x, &out);
	put_pools(&y, &out);
	for (uint32_t i = 0, k = 0; i < x.t.n_permits || k < y.t.n_permits;) {
		if (k < y.t.n_permits && !y.permit_used[k])
			k++;
		else if (k == y.t.n_permits || (i < x.t.n_permits && x.t.permits[i].permit < y.t.permits[k].permit))
			put_permit(&x, i++, &out, a, ret);
		else
			put_permit(&y, k++, &out, b, ret);
	}
	ret->n = commands_size(&out);
	ret->image = malloc(ret->n);
	o = outbuf_of(ret->image, ret->image != NULL ? ret->n : 0);
	if (ret->image != NULL && !commands_encode(&out, &o)) {
		free(ret->image);
		ret->image = NULL;
	}
done:
	if (ret->image == NULL)
		table_drop(ret);
	free(out.permits);
	free(out.grants);
	free(out.rows);
	free(out.spaces);
	free(out.ranges);
	free(out.names);
	side_close(&x);
	side_close(&y);
	return ret->image != NULL;
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
