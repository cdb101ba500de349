/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/foretold.h"

#include <stdlib.h>

void foretold_free(struct foretelling *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		json_decref(f->of[i].commands);
	json_decref(f->narrowed);
	json_decref(f->ended);
	free(f->of);
	free(f);
}

void foretold_json(const struct operation *op, json_t *answer)
{
	const struct foretelling *f = op->foretelling;
	const struct told *t = &op->told;
	uint64_t named, unknown;
	json_t *cut;

	if (f == NULL || f->narrowed == NULL)
		return;
	cut = t->cut != NULL ? json_copy(t->cut) : json_array();
	json_array_extend(cut, f->ended);
	unknown = f->unknown + t->changed_more;
	named = json_array_size(cut) + json_array_size(f->narrowed) + unknown + t->cut_more;
	json_object_set_new(answer, "cut", cut);
	json_object_set_new(answer, "cut_more", json_integer((json_int_t)t->cut_more));
	json_object_set(answer, "narrowed", f->narrowed);
	json_object_set_new(answer, "go_on", json_integer(t->live > named ? (json_int_t)(t->live - named) : 0));
	json_object_set_new(answer, "unknown", json_integer((json_int_t)unknown));
}
