/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/words/render.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/screen/wrap.h"

/* pairs of lines that are compared; a larger part counts as replaced */
#define PAIRS_MOST (16u << 20)

struct lines {
	const char **at; /* pointers into the text; owned */
	size_t *length;	 /* owned */
	size_t n;
};

static bool lines_of(const char *text, struct lines *ret)
{
	size_t room = 1;

	for (const char *c = text; *c != '\0'; c++)
		room += *c == '\n';
	*ret = (struct lines){ .at = calloc(room, sizeof(*ret->at)), .length = calloc(room, sizeof(*ret->length)) };
	if (ret->at == NULL || ret->length == NULL)
		return false;
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		ret->at[ret->n] = text;
		ret->length[ret->n++] = n;
		text += n + (text[n] == '\n');
	}
	return true;
}

static void lines_free(struct lines *l)
{
	free(l->at);
	free(l->length);
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
	return a->length[i] == b->length[k] && memcmp(a->at[i], b->at[k], a->length[i]) == 0;
}

static void put_change(json_t *list, const char *file, const struct lines *l, size_t i, bool added)
{
	(void)json_array_append_new(list, json_pack("{s:s,s:I,s:s,s:o}", "file", file, "line", (json_int_t)i + 1,
						    "change", added ? "added" : "removed", "text",
						    json_stringn_nocheck(l->at[i], l->length[i])));
}

/* Compares lines first..end of both sides by their longest common subsequence. */
static void compare(json_t *list, const char *file, const struct lines *a, size_t a_end, const struct lines *b,
		    size_t b_end, size_t first)
{
	size_t n = a_end - first, m = b_end - first, i = 0, k = 0;
	uint32_t *common = n == 0 || m == 0 || n > PAIRS_MOST / m ? NULL : calloc((n + 1) * (m + 1), sizeof(*common));

	/* common[i][k]: length of the longest common subsequence of the lines from i and from k
	 * on */
	for (size_t x = n; common != NULL && x-- > 0;)
		for (size_t y = m; y-- > 0;) {
			uint32_t down = common[(x + 1) * (m + 1) + y], right = common[x * (m + 1) + y + 1];

			common[x * (m + 1) + y] = same(a, first + x, b, first + y)
							  ? common[(x + 1) * (m + 1) + y + 1] + 1
						  : down > right ? down
								 : right;
		}
	while (i < n || k < m) {
		if (common != NULL && i < n && k < m && same(a, first + i, b, first + k)) {
			i++;
			k++;
		} else if (i < n &&
			   (k == m || common == NULL || common[(i + 1) * (m + 1) + k] >= common[i * (m + 1) + k + 1])) {
			put_change(list, file, a, first + i++, false);
		} else {
			put_change(list, file, b, first + k++, true);
		}
	}
	free(common);
}

static void compare_texts(json_t *list, const char *file, const char *before, const char *after)
{
	struct lines a = { 0 }, b = { 0 };
	size_t first = 0, a_end, b_end;

	if (lines_of(before, &a) && lines_of(after, &b)) {
		while (first < a.n && first < b.n && same(&a, first, &b, first))
			first++;
		for (a_end = a.n, b_end = b.n; a_end > first && b_end > first && same(&a, a_end - 1, &b, b_end - 1);) {
			a_end--;
			b_end--;
		}
		compare(list, file, &a, a_end, &b, b_end, first);
	}
	lines_free(&a);
	lines_free(&b);
}

json_t *difference_json(const json_t *before, const json_t *after)
{
	json_t *list = json_array();

	json_each(s, before)
		compare_texts(list, js(s, "name"), js(s, "text"), js(json_find(after, "name", js(s, "name")), "text"));
	json_each(s, after)
		if (json_find(before, "name", js(s, "name")) == NULL)
			compare_texts(list, js(s, "name"), "", js(s, "text"));
	return list;
}

void difference_print(struct cli *c, const json_t *difference, size_t most)
{
	const char *file = "";
	const json_t *d;
	size_t i;

	json_array_foreach(difference, i, d) {
		char *safe = text_safe(js(d, "text"));

		if (i < most && strcmp(file, js(d, "file")) != 0)
			render_line(c, M_DIFFERENCE_FILE, js(d, "file"));
		file = js(d, "file");
		if (i < most)
			fprintf(c->out, "  %c %llu: %s\n", js_is(d, "change", "added") ? '+' : '-', ju(d, "line"),
				safe != NULL ? safe : "");
		free(safe);
	}
	if (i > most)
		message_print(c->out, c->lang, M_DIFFERENCE_MORE, i - most);
}
