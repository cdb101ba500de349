/* SPDX-License-Identifier: Apache-2.0 */
/* The workers' command table: the generation's table with this box's permit ids, sorted by id. */
#include <stdlib.h>
#include <string.h>

#include "policy/ir/ir.h"

struct numbered {
	uint32_t id;
	uint32_t index;
};

static int by_id(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;

	return (a->id > b->id) - (a->id < b->id);
}

uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n)
{
	const struct command_table *t = &ir->table;
	struct command_table out = *t;
	struct numbered *order = calloc((size_t)t->n_permits + 1, sizeof(*order));
	size_t size = commands_size(t);
	uint8_t *image = malloc(size);
	struct outbuf o = outbuf_of(image, size);
	bool ok = false;

	out.permits = calloc((size_t)t->n_permits + 1, sizeof(*out.permits));
	if (order != NULL && image != NULL && out.permits != NULL) {
		for (uint32_t i = 0; i < t->n_permits; i++)
			order[i] = (struct numbered){ ids[i], i };
		qsort(order, t->n_permits, sizeof(*order), by_id);
		for (uint32_t i = 0; i < t->n_permits; i++) {
			out.permits[i] = t->permits[order[i].index];
			out.permits[i].permit = order[i].id;
		}
		ok = commands_encode(&out, &o);
	}
	free(out.permits);
	free(order);
	if (!ok) {
		free(image);
		return NULL;
	}
	*ret_n = o.len;
	return image;
}
