/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/answer.h"

#include <stdlib.h>

#include "mgmt/cli/words/render.h"

static const struct answer_row *answer_rows(struct cli *c, const struct answer_row *i, const struct value_place *p,
					    bool print);

static void answer_sentence(struct cli *c, const struct answer_row *i, const struct value_place *p)
{
	char *text = value_holds(p, i->when) ? value_sentence(p, i->m, i->args) : NULL;

	if (text != NULL && i->what == ANSWER_PLAIN)
		fputs(text, c->out);
	else if (text != NULL)
		render_said(c, i->m, text);
	free(text);
}

/* The text of a cell: an INSTEAD whose condition holds, or else the column's value. */
char *answer_cell(const struct answer_row *column, const struct value_place *p)
{
	for (const struct answer_row *i = column + 1; i->what == ANSWER_LINE; i++)
		if (value_holds(p, i->when))
			return i->m != 0 ? value_sentence(p, i->m, i->args) : value_text(p, i->args[0]);
	return value_text(p, column->args[0]);
}

size_t answer_heads(const struct answer_row *table, enum message heads[TABLE_COLUMNS])
{
	size_t n = 0;

	for (const struct answer_row *i = table + 1; i->what != ANSWER_END && n < TABLE_COLUMNS; i++)
		if (i->what == ANSWER_COLUMN)
			heads[n++] = i->m;
	return n;
}

static void answer_table(struct cli *c, const struct answer_row *table, const struct value_place *p)
{
	enum message heads[TABLE_COLUMNS];
	struct table *t = table_headed(answer_heads(table, heads), table->indent, c->lang, heads);
	size_t n = 0;

	if (table->wraps)
		table_wrap(t);
	for (const struct answer_row *i = table + 1; i->what != ANSWER_END; i++) {
		if (i->right)
			table_right(t, n);
		n += i->what == ANSWER_COLUMN;
	}
	json_each(row, value_at(p, table->list)) {
		const struct value_place at = { p->root, row, p->lang };

		for (const struct answer_row *i = table + 1; i->what != ANSWER_END; i++) {
			char *text = i->what == ANSWER_COLUMN ? answer_cell(i, &at) : NULL;

			if (i->what == ANSWER_COLUMN)
				table_cell(t, text);
			free(text);
		}
	}
	if (table->m != 0 && table_rows(t) > 0)
		message_print(c->out, c->lang, table->m);
	(void)table_end(t, c->out, c->color);
}

/* A list, or an object as a list of one. */
static size_t answer_members(const json_t *v)
{
	return json_is_object(v) ? 1 : json_array_size(v);
}

static struct value_place answer_member(const struct value_place *p, const json_t *v, size_t at)
{
	return (struct value_place){ p->root, json_is_object(v) ? v : json_array_get(v, at), p->lang };
}

static const struct answer_row *answer_row(struct cli *c, const struct answer_row *i, const struct value_place *p)
{
	const json_t *v = *i->list != '\0' ? value_at(p, i->list) : NULL;
	struct value_place at;

	switch (i->what) {
	case ANSWER_LINE:
	case ANSWER_PLAIN:
		if (*i->list == '\0')
			answer_sentence(c, i, p);
		for (size_t k = 0; k < answer_members(v); k++) {
			at = answer_member(p, v, k);
			answer_sentence(c, i, &at);
		}
		break;
	case ANSWER_EACH:
		for (size_t k = 0; k < answer_members(v); k++) {
			at = answer_member(p, v, k);
			if (value_holds(&at, i->when))
				(void)answer_rows(c, i + 1, &at, true);
		}
		return answer_rows(c, i + 1, p, false);
	case ANSWER_TABLE:
		answer_table(c, i, p);
		return answer_rows(c, i + 1, p, false);
	case ANSWER_CALL:
		if (value_holds(p, i->when))
			i->call(c, p->root, p->row);
		break;
	case ANSWER_COLUMN:
	case ANSWER_END:
		break;
	}
	return i;
}

/* The rows up to END, which is returned. `print` false: they are passed over. */
static const struct answer_row *answer_rows(struct cli *c, const struct answer_row *i, const struct value_place *p,
					    bool print)
{
	for (; i->what != ANSWER_END; i++)
		if (print)
			i = answer_row(c, i, p);
		else if (i->what == ANSWER_EACH || i->what == ANSWER_TABLE)
			i = answer_rows(c, i + 1, p, false);
	return i;
}

void answer_print(struct cli *c, const struct answer_row *rows, const json_t *answer)
{
	(void)answer_rows(c, rows, &(struct value_place){ answer, answer, c->lang }, true);
}

struct answer_sheet {
	const struct answer_row *table;
	const json_t *answer;
	enum lang lang;
};

static bool answer_sheet(FILE *to, void *ctx)
{
	const struct answer_sheet *s = ctx;
	const struct answer_row *table = s->table;
	const json_t *answer = s->answer;
	enum lang l = s->lang;
	const struct value_place p = { answer, answer, l };
	enum message heads[TABLE_COLUMNS];
	size_t n = answer_heads(table, heads), k;
	bool sound = true;

	for (k = 0; k < n; k++)
		sound = csv_cell(to, message_format(heads[k], l), k + 1 == n) && sound;
	json_each(row, value_at(&p, table->list)) {
		const struct value_place at = { answer, row, l };

		k = 0;
		for (const struct answer_row *i = table + 1; i->what != ANSWER_END; i++) {
			char *text = i->what == ANSWER_COLUMN ? answer_cell(i, &at) : NULL;

			if (i->what == ANSWER_COLUMN)
				sound = text != NULL && csv_cell(to, text, ++k == n) && sound;
			free(text);
		}
	}
	return sound;
}

int answer_csv(const char *file, const struct answer_row *table, const json_t *answer, enum lang l)
{
	return csv_file(file, answer_sheet, &(struct answer_sheet){ table, answer, l });
}
