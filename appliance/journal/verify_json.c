/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/verify_json.h"

static json_t *deleted_json(const struct journal_report *r)
{
	if (r->deleted == 0)
		return json_null();
	return json_pack("{s:I,s:I}", "last", (json_int_t)r->deleted, "said_by", (json_int_t)r->deleted_by);
}

static json_t *signed_json(const struct journal_report *r, bool keys)
{
	if (!keys)
		return json_null();
	return json_pack("{s:I,s:I,s:I}", "checkpoints", (json_int_t)r->checkpoints, "to", (json_int_t)r->signed_to,
			 "sent", (json_int_t)r->sent);
}

json_t *journal_report_json(const struct journal_report *r, bool keys)
{
	json_t *list = json_array(), *open = json_array();
	const char *word;

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:I,s:I}", "what", journal_fault_word(r->list[i].what),
						      "segment", json_text(r->list[i].segment), "line",
						      (json_int_t)r->list[i].line, "seq", (json_int_t)r->list[i].seq));
	for (unsigned n = 0; (word = journal_open_word(r->open, n)) != NULL; n++)
		json_array_append_new(open, json_string(word));
	return json_pack("{s:o,s:I,s:I,s:I,s:o,s:I,s:o,s:o,s:o,s:o}", "whole",
			 r->faults > 0	? json_false()
			 : r->open != 0 ? json_null()
					: json_true(),
			 "records", (json_int_t)r->records, "first", (json_int_t)r->first, "last", (json_int_t)r->last,
			 "head", json_hex(r->head, sizeof(r->head)), "faults", (json_int_t)r->faults, "unjudged", open,
			 "deleted", deleted_json(r), "signed", signed_json(r, keys), "list", list);
}
