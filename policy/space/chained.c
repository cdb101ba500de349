/* SPDX-License-Identifier: Apache-2.0 */
/* Conduits and walks over chains of them as JSON, for `ask`, `who-can` and `reach`. */
#include "policy/space/asked.h"

const char *conduit_file(const struct compilation *c, const struct model_conduit *d)
{
	return d->at.file < c->n_sources ? c->sources[d->at.file].name : "";
}

json_t *hop_json(const struct compilation *c, const struct model_conduit *d)
{
	return json_pack("{s:o,s:o,s:i,s:o}", "conduit", json_text(d->name), "file", json_text(conduit_file(c, d)),
			 "line", (int)d->at.line, "door", d->door != NULL ? json_text(d->door->name) : json_null());
}

json_t *line_json(const struct compilation *c, const struct asked_line *l)
{
	const struct model_conduit *d = l->conduit;
	json_t *ret = hop_json(c, d);

	json_object_update_new(ret, json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "service",
					      l->service != NULL ? json_text(l->service->name) : json_null(), "row",
					      l->allow != NULL ? json_integer(l->allow->at.line) : json_null(), "until",
					      json_seconds(d->until), "owner", json_text(d->owner), "approved_by",
					      json_text(d->approved_by), "observed", (int)l->observed));
	return ret;
}

static json_t *chain_json(const struct compilation *c, const struct walk *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->n_hops; i++)
		json_array_append_new(list, hop_json(c, w->hops[i]));
	return list;
}

json_t *walk_source_json(const struct compilation *c, const struct walk *w)
{
	const struct model_conduit *first = w->hops[0];
	json_t *ret = line_json(c, &w->last);

	json_object_update_new(ret, json_pack("{s:o,s:o,s:o}", "zone", json_text(first->from->name), "addresses",
					      json_addr_ranges(first->sources, first->n_sources), "chain",
					      chain_json(c, w)));
	return ret;
}

/* One service of a conduit, with the words of the commands that pass; *ret_classes is 0 for a
 * service without commands. */
bool walk_goes(const struct model *m, const struct model_conduit *d, size_t i, uint64_t at, unsigned *ret_classes)
{
	struct asked q = { .service = d->services[i], .at = at };

	q.from = (struct asked_end){ d->from, NULL, d->from->ranges, d->from->n_ranges };
	q.to = (struct asked_end){ d->to, NULL, d->to->ranges, d->to->n_ranges };
	if (ask_conduit(m, d, &q).lack < ASKED_DOOR)
		return false;
	*ret_classes = asked_classes(m, d, d->services[i], at);
	return true;
}

static json_t *services_json(const struct compilation *c, const struct model_conduit *d, uint64_t at)
{
	json_t *list = json_array(), *words;
	unsigned classes;

	for (size_t i = 0; i < d->n_services; i++) {
		if (!walk_goes(c->model, d, i, at, &classes))
			continue;
		words = json_array();
		for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE; bit <<= 1)
			if ((classes & bit) != 0)
				json_array_append_new(words, json_string(command_class_name(bit)));
		json_array_append_new(
			list, json_pack("{s:o,s:o}", "service", json_text(d->services[i]->name), "commands", words));
	}
	return list;
}

json_t *walk_reached_json(const struct compilation *c, const struct walk *w, uint64_t at)
{
	const struct model_conduit *d = w->last.conduit;

	return json_pack("{s:o,s:o,s:b,s:o,s:o,s:o}", "zone", json_text(d->to->name), "addresses",
			 json_addr_ranges(d->destinations, d->n_destinations), "beside", (int)w->beside, "chain",
			 chain_json(c, w), "services", services_json(c, d, at), "until", json_seconds(d->until));
}
