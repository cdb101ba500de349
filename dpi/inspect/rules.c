/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/rules.h"

#include <stdlib.h>

#include "dpi/decode.h"

struct rules {
	uint32_t table_bytes;
	void *memory[2]; /* owned; of the table in force and of the next */
	unsigned now;
	uint32_t turn;
	struct command_table table;
	/* owned; for each of the two tables, the generation of each permit */
	struct event_generation *generations[2];
	struct event_generation generation; /* the newest generation that this worker was told of */
};

struct rules *rules_new(uint32_t table_bytes)
{
	struct rules *r = calloc(1, sizeof(*r));
	bool good = r != NULL;

	for (unsigned k = 0; k < 2 && good; k++) {
		r->memory[k] = aligned_alloc(16, (table_bytes + 15u) & ~15u);
		/* No table of this many bytes has more permits. */
		r->generations[k] = calloc(table_bytes / sizeof(struct command_permit) + 1, sizeof(*r->generations[k]));
		good = r->memory[k] != NULL && r->generations[k] != NULL;
	}
	if (!good) {
		rules_free(r);
		return NULL;
	}
	r->table_bytes = table_bytes;
	r->turn = 1;
	return r;
}

void rules_free(struct rules *r)
{
	for (unsigned k = 0; k < 2 && r != NULL; k++) {
		free(r->memory[k]);
		free(r->generations[k]);
	}
	free(r);
}

const struct command_table *rules_table(const struct rules *r)
{
	return &r->table;
}

uint32_t rules_turn(const struct rules *r)
{
	return r->turn;
}

bool rules_try(struct rules *r, struct bytes image, struct command_table *ret)
{
	return commands_decode(image, r->memory[1u - r->now], r->table_bytes, ret);
}

bool rules_load(struct rules *r, struct bytes image)
{
	struct command_table t;

	if (!rules_try(r, image, &t))
		return false;
	r->table = t;
	r->now = 1u - r->now;
	r->turn++;
	for (uint32_t k = 0; k < t.n_permits; k++)
		r->generations[r->now][k] = (struct event_generation){ 0 };
	return true;
}

void rules_note_generations(struct rules *r, struct event_generation now, struct bytes of_permits)
{
	r->generation = now;
	for (uint32_t k = 0; k < r->table.n_permits; k++) {
		struct event_generation g;

		r->generations[r->now][k] = event_generation_get(&of_permits, &g) ? g : now;
	}
}

/* A permit that came with an earlier generation still belongs to that one. */
struct event_generation rules_generation(const struct rules *r, const struct command_permit *permit)
{
	return permit != NULL ? r->generations[r->now][permit - r->table.permits] : r->generation;
}

const struct command_grant *grant_of(const struct command_table *t, const struct command_permit *permit,
				     enum protocol p)
{
	for (uint32_t g = 0; g < permit->n_grants; g++) {
		const struct command_grant *grant = &t->grants[permit->first_grant + g];

		if (!grant->shadow && grant->protocol == p)
			return grant;
	}
	return NULL;
}

bool promises_any(const struct command_table *t, const struct command_permit *permit, uint8_t l4proto)
{
	return grant_of(t, permit, l4proto == IP_TCP ? PROTO_TCP : l4proto == IP_UDP ? PROTO_UDP : PROTO_ICMP) != NULL;
}
