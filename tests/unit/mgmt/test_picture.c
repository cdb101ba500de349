/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of the effective rules: whatever the policy, nothing overlaps, each conduit is in it
 * once, and names stay text.
 * LINK: mgmt/picture/layout.c mgmt/picture/svg.c mgmt/words/command.c appliance/wire/hours.c
 * LINK: mgmt/state/read.c
 * LINK: mgmt/cli/screen/wrap.c mgmt/picture/flow.c
 * LINK: appliance/wire/vocabulary*.c dpi/%/words.c appliance/wire/protocols.c
 * LINK: appliance/wire/notation.c appliance/wire/tag.c appliance/wire/settings.c $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/picture/picture.h"

#define BOXES 40u
#define ARROWS 200u
#define BADGE 26u

static unsigned seed;

static unsigned drawn(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static unsigned lower(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned upper(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Whether pieces of two arrows lie on each other; they may cross. */
static bool along(const struct layout_point *a, const struct layout_point *b)
{
	bool upright = a[0].x == a[1].x, other = b[0].x == b[1].x;

	if (upright && other && a[0].x == b[0].x)
		return upper(lower(a[0].y, a[1].y), lower(b[0].y, b[1].y)) <
		       lower(upper(a[0].y, a[1].y), upper(b[0].y, b[1].y));
	if (!upright && !other && a[0].y == b[0].y)
		return upper(lower(a[0].x, a[1].x), lower(b[0].x, b[1].x)) <
		       lower(upper(a[0].x, a[1].x), upper(b[0].x, b[1].x));
	return false;
}

static bool through(const struct layout_point *a, const struct layout_box *b)
{
	return lower(a[0].x, a[1].x) < b->x + b->width && upper(a[0].x, a[1].x) > b->x &&
	       lower(a[0].y, a[1].y) < b->y + b->height && upper(a[0].y, a[1].y) > b->y;
}

static unsigned apart(unsigned a, unsigned b)
{
	return a > b ? a - b : b - a;
}

static void check_arrow(const struct layout *l, size_t i)
{
	const struct layout_arrow *a = &l->arrows[i];
	const struct layout_box *from = &l->boxes[a->from], *to = &l->boxes[a->to];

	assert_in_range(a->n, 4, LAYOUT_BENDS);
	assert_true(a->at[0].x > from->x && a->at[0].x < from->x + from->width);
	assert_true(a->at[0].y == from->y || a->at[0].y == from->y + from->height);
	assert_true(a->at[a->n - 1].x > to->x && a->at[a->n - 1].x < to->x + to->width);
	assert_true(a->at[a->n - 1].y == to->y || a->at[a->n - 1].y == to->y + to->height);
	for (size_t k = 0; k + 1 < a->n; k++) {
		assert_true(a->at[k].x == a->at[k + 1].x || a->at[k].y == a->at[k + 1].y);
		assert_true(a->at[k].x < l->width && a->at[k].y < l->height);
		for (size_t b = 0; b < l->n_boxes; b++)
			assert_false(through(&a->at[k], &l->boxes[b]));
	}
	for (size_t o = 0; o < i; o++) {
		const struct layout_arrow *other = &l->arrows[o];

		assert_true(apart(a->badge.x, other->badge.x) >= 2 * BADGE ||
			    apart(a->badge.y, other->badge.y) >= 2 * BADGE);
		for (size_t k = 0; k + 1 < a->n; k++)
			for (size_t m = 0; m + 1 < other->n; m++)
				assert_false(along(&a->at[k], &other->at[m]));
	}
}

static void nothing_lies_on_anything_else(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct layout_box boxes[BOXES] = { 0 };
		struct layout_arrow arrows[ARROWS] = { 0 };
		struct layout l = {
			.boxes = boxes, .arrows = arrows, .n_boxes = 2 + drawn(BOXES - 2), .width = drawn(2) * 4080
		};

		seed = round;
		l.n_arrows = drawn(ARROWS);
		for (size_t i = 0; i < l.n_boxes; i++)
			boxes[i] = (struct layout_box){ .row = drawn(LAYOUT_ROWS), .width = 60 + drawn(700) };
		for (size_t i = 0; i < l.n_arrows; i++) {
			arrows[i].from = drawn((unsigned)l.n_boxes);
			arrows[i].to = (arrows[i].from + 1 + drawn((unsigned)l.n_boxes - 1)) % l.n_boxes;
		}
		assert_true(layout_make(&l));
		for (size_t i = 0; i < l.n_boxes; i++) {
			assert_true(boxes[i].x + boxes[i].width < l.width && boxes[i].y + boxes[i].height < l.height);
			for (size_t k = 0; k < i; k++)
				assert_true(boxes[i].y != boxes[k].y || boxes[i].x >= boxes[k].x + boxes[k].width ||
					    boxes[k].x >= boxes[i].x + boxes[i].width);
		}
		for (size_t i = 0; i < l.n_arrows; i++)
			check_arrow(&l, i);
	}
}

#define ZONE(name, label, class)                                                                                       \
	"{\"name\":\"" name "\",\"label\":\"" label "\",\"class\":\"" class "\",\"networks\":[\"10.0.0.0/8\"]}"
#define CONDUIT(name, label, from, to, mode)                                                                           \
	"{\"name\":\"" name "\",\"label\":\"" label "\",\"from\":\"" from "\",\"to\":\"" to "\",\"mode\":\"" mode      \
	"\",\"file\":\"site.cfg\",\"line\":7}"
#define ROW "{\"functions\":[3],\"units\":\"1\",\"holding\":\"0-99\",\"values\":\"any\"}"

static const char policy[] =
	"{\"generation\":{\"number\":4,\"digest\":\"00112233445566778899\"},\"host\":\"box\",\"site\":{\"name\":"
	"\"kita\",\"label\":\"北 & 南\"},"
	"\"time\":\"2026-11-20T08:20:31.000Z\",\"zones\":[" ZONE("office", "事務所", "it") "," ZONE("crane", "<script>", "ot") "," ZONE("idle", "", "test") "],\"conduits\":[" CONDUIT(
		"reads", "a \\\"label\\\" & <b>", "office", "crane",
		"enforce") "," CONDUIT("looks", "", "office", "crane",
				       "observe") "," CONDUIT("more", "", "office", "crane",
							      "enforce") "," CONDUIT("lost", "", "office", "nowhere",
										     "enforce") "],\"cells\":[{"
												"\"conduits\":["
												"\"reads\"],"
												"\"packets\":3},{"
												"\"conduits\":["
												"\"reads\",\"more\"],"
												"\"packets\":4}],"
												"\"permits\":["
												"{\"grants\":[{"
												"\"conduit\":\"reads\","
												"\"protocol\":"
												"\"modbus\",\"whole\":"
												"false,\"rows\":[" ROW
												"]},{\"conduit\":"
												"\"looks\","
												"\"protocol\":\"tls\","
												"\"whole\":true}]},"
												"{\"grants\":[{"
												"\"conduit\":\"reads\","
												"\"protocol\":"
												"\"modbus\",\"whole\":"
												"false,\"rows\":[" ROW
												"]}]}]}";

static size_t times(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n++;
	return n;
}

static void what_stands_in_it(void **state)
{
	json_t *effective = json_loads(policy, 0, NULL);

	(void)state;
	assert_non_null(effective);
	for (int l = 0; l < 2; l++) {
		char *svg = picture_svg(effective, l == 0 ? LANG_EN : LANG_JA);

		assert_non_null(svg);
		assert_int_equal(times(svg, "class=\"zone\""), 3);
		assert_int_equal(times(svg, "class=\"arrow\""), 2);
		assert_int_equal(times(svg, "class=\"conduit\""), 3);
		assert_int_equal(times(svg, ">reads  a &quot;label&quot; &amp; &lt;b&gt;</text>"), 1);
		assert_int_equal(times(svg, ">looks</text>"), 1);
		assert_int_equal(times(svg, ">more</text>"), 1);
		assert_int_equal(times(svg, "<script"), 0);
		assert_int_equal(times(svg, "<b>"), 0);
		assert_int_equal(times(svg, "北 &amp; 南"), 1);
		/* One dashed line in the legend, and one of the conduit that only observes. */
		assert_int_equal(times(svg, "stroke-dasharray"), 2);
		assert_int_equal(times(svg, "read_holding_registers"), 1);
		assert_int_equal(times(svg, l == 0 ? "site.cfg:7, packets: 7" : "site.cfg:7、パケット数 7"), 1);
		free(svg);
	}
	json_decref(effective);
}

/* Whether the arrow between these ends has a head at `to`. */
static bool has_head(const char *svg, const char *ends, const char *marker)
{
	const char *at = strstr(svg, ends), *begin = at, *found;

	assert_non_null(at);
	while (*begin != '<')
		begin--;
	found = strstr(begin, marker);
	return found != NULL && found < at;
}

/* Heads show where data go: reads come back, other protocols may go both ways. Of the other side
 * (IT or OT), only zones with an arrow are drawn. */
static void flows_of_a_side(void **state)
{
	static const char both[] = "marker-start=\"url(#e)\" marker-end=\"url(#e)\"";
	static const char *const flows =
		"{\"site\":{},\"generation\":{},\"zones\":[{\"name\":\"office\",\"class\":\"it\"},{\"name\":\"web\","
		"\"class\":\"external\"},{\"name\":\"tos\",\"class\":\"operations\"},{\"name\":\"crane\",\"class\":"
		"\"ot\"}],\"conduits\":[{\"name\":\"reads\",\"from\":\"tos\",\"to\":\"crane\",\"purpose\":\"<why>\"},"
		"{\"name\":\"sets\",\"from\":\"crane\",\"to\":\"tos\"},{\"name\":\"shell\",\"from\":\"office\",\"to\":"
		"\"tos\"},{\"name\":\"surfs\",\"from\":\"office\",\"to\":\"web\"},"
		"{\"name\":\"looks\",\"from\":\"office\",\"to\":\"web\",\"mode\":\"observe\"}],\"permits\":[{"
		"\"grants\":["
		"{\"conduit\":\"reads\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[3]}]},"
		"{\"conduit\":\"sets\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[6]}]},"
		"{\"conduit\":\"shell\",\"protocol\":\"ssh\",\"whole\":true},"
		"{\"conduit\":\"surfs\",\"protocol\":\"tls\",\"whole\":true},"
		"{\"conduit\":\"looks\",\"protocol\":\"modbus\",\"rows\":[{\"functions\":[3]}]}]}]}";
	json_t *effective = json_loads(flows, 0, NULL);
	char *ot = picture_flows(effective, FLOW_OT, LANG_JA), *it = picture_flows(effective, FLOW_IT, LANG_EN),
	     *all = picture_flows(effective, FLOW_ALL, LANG_EN), *rules = picture_svg(effective, LANG_EN);

	(void)state;
	assert_non_null(rules);
	/* whatever the rows of a conduit that only observes say, everything passes */
	assert_int_equal(times(it, "modbus: all: only observed"), 1);
	assert_int_equal(times(it, "modbus: read"), 0);
	assert_int_equal(times(rules, ">all: only observed<"), 1);
	free(rules);
	assert_non_null(ot);
	assert_non_null(it);
	assert_non_null(all);
	assert_non_null(strstr(ot, ">データフロー図（OT）</text>"));
	/* the office is included because of its shell */
	assert_int_equal(times(ot, "class=\"zone\""), 3);
	assert_int_equal(times(ot, "class=\"conduit\""), 3);
	assert_int_equal(times(ot, "data-zone=\"web\""), 0);
	assert_int_equal(times(ot, "modbus: 読み取り"), 1);
	assert_int_equal(times(ot, "ssh: 内容の検査なし"), 1);
	assert_int_equal(times(ot, "&lt;why&gt;"), 1);
	assert_int_equal(times(ot, " marker-start="), 2); /* reads and shell */
	/* `sets` and `shell`, besides the legend */
	assert_int_equal(times(ot, " marker-end=") - 2, 2);
	assert_int_equal(times(ot, both), 1);
	assert_true(has_head(ot, "data-from=\"tos\" data-to=\"crane\"", "marker-start"));
	assert_false(has_head(ot, "data-from=\"tos\" data-to=\"crane\"", "marker-end"));
	assert_true(has_head(ot, "data-from=\"crane\" data-to=\"tos\"", "marker-end"));
	assert_false(has_head(ot, "data-from=\"crane\" data-to=\"tos\"", "marker-start"));
	assert_int_equal(times(it, "class=\"zone\""), 3);
	assert_int_equal(times(it, "class=\"conduit\""), 3); /* one for what is only observed */
	assert_int_equal(times(it, "data-zone=\"crane\""), 0);
	assert_int_equal(times(all, "class=\"zone\""), 4);
	assert_int_equal(times(all, "class=\"conduit\""), 5);
	free(ot);
	free(it);
	free(all);
	json_decref(effective);
}

/* However much there is, it fits on one A3 sheet in landscape. */
static void flows_on_one_sheet(void **state)
{
	json_t *zones = json_array(), *conduits = json_array(), *effective;
	char *svg;

	(void)state;
	for (int i = 0; i < 30; i++)
		json_array_append_new(zones, json_pack("{s:o, s:s}", "name", json_sprintf("z%d", i), "class",
						       i % 2 == 0 ? "it" : "ot"));
	for (int i = 0; i < 200; i++)
		json_array_append_new(conduits, json_pack("{s:o, s:o, s:o}", "name", json_sprintf("c%d", i), "from",
							  json_sprintf("z%d", i % 30), "to",
							  json_sprintf("z%d", (i * 7 + 1) % 30)));
	effective = json_pack("{s:o, s:o}", "zones", zones, "conduits", conduits);
	svg = picture_flows(effective, FLOW_ALL, LANG_EN);
	assert_non_null(svg);
	assert_non_null(strstr(svg, "width=\"408mm\" height=\"285mm\""));
	free(svg);
	json_decref(effective);
}

/* An answer that cannot be drawn gives no picture, and values of other types are not trusted. */
static void strange_answers(void **state)
{
	static const char *const all[] = { "{}", "[]", "{\"conduits\":null}" };
	static const char *const bare[] = {
		"{\"conduits\":[]}",
		"{\"conduits\":[1,{}],\"zones\":[2,{}],\"cells\":3,\"permits\":[4,{\"grants\":[5]}]}",
		"{\"conduits\":[{\"name\":\"a\",\"from\":\"x\",\"to\":\"x\"}],\"zones\":[{\"name\":\"x\"}]}"
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *none = json_loads(all[i], 0, NULL), *some = json_loads(bare[i], 0, NULL);
		char *svg = picture_svg(some, LANG_JA);

		assert_true(i == 2 || picture_svg(none, LANG_EN) == NULL);
		assert_non_null(svg);
		assert_non_null(strstr(svg, "</svg>\n"));
		free(svg);
		svg = picture_flows(some, FLOW_OT, LANG_EN);
		assert_true(i == 2 || picture_flows(none, FLOW_IT, LANG_EN) == NULL);
		assert_non_null(svg);
		free(svg);
		json_decref(none);
		json_decref(some);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_lies_on_anything_else),
					    cmocka_unit_test(what_stands_in_it), cmocka_unit_test(strange_answers),
					    cmocka_unit_test(flows_of_a_side), cmocka_unit_test(flows_on_one_sheet) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
