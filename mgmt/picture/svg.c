/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/protocols.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/picture/picture.h"
#include "mgmt/state/read.h"
#include "mgmt/words/command.h"

/* The text below the map: for each arrow its conduits, and the commands that each allows. */

#define LEGEND_CELLS 70u /* cells of a line; a full-width character takes two */

enum legend_kind {
	LEGEND_ARROW,	/* source and destination, with the arrow's number */
	LEGEND_CONDUIT, /* name and label */
	LEGEND_DETAIL,	/* mode, end, line of the policy, packets */
	LEGEND_COMMAND, /* a protocol and its commands */
};

struct legend_line {
	enum legend_kind kind;
	size_t arrow;
	char *text;
};

struct legend {
	struct legend_line *lines;
	size_t n, room;
	bool failed;		  /* out of memory */
	json_t *grants, *packets; /* by conduit: its grants; packets that passed */
};

static void legend_put(struct legend *g, enum legend_kind kind, size_t arrow, const char *text, size_t n)
{
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 64 : 2 * g->room;
		struct legend_line *lines = realloc(g->lines, room * sizeof(*lines));

		if (lines == NULL) {
			g->failed = true;
			return;
		}
		g->lines = lines;
		g->room = room;
	}
	g->lines[g->n] = (struct legend_line){ kind, arrow, strndup(text, n) };
	if (g->lines[g->n].text == NULL)
		g->failed = true;
	else
		g->n++;
}

/* Adds a text as lines of at most LEGEND_CELLS. */
static void legend_add(struct legend *g, enum legend_kind kind, size_t arrow, const char *text)
{
	char *wrapped = NULL;
	size_t size;
	FILE *to = open_memstream(&wrapped, &size);

	if (to == NULL) {
		g->failed = true;
		return;
	}
	/* text_wrap wraps at a terminal's width, so the difference counts as used. */
	text_wrap(to, text, WRAP_CELLS - LEGEND_CELLS, WRAP_CELLS - LEGEND_CELLS);
	if (fclose(to) != 0) {
		g->failed = true;
		free(wrapped);
		return;
	}
	for (const char *line = wrapped; *line != '\0';) {
		const char *end = line + strcspn(line, "\n");

		line += line != wrapped ? strspn(line, " ") : 0;
		legend_put(g, kind, arrow, line, line < end ? (size_t)(end - line) : 0);
		line = *end != '\0' ? end + 1 : end;
	}
	free(wrapped);
}

static void legend_free(struct legend *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->lines[i].text);
	free(g->lines);
	json_decref(g->grants);
	json_decref(g->packets);
}

/* "modbus: read_holding_registers (3); holding 0-99, no other address; units 1" */
static void grant(struct legend *g, size_t arrow, const json_t *one, const json_t *row, enum lang l)
{
	enum protocol p = protocol_by_name(js(one, "protocol"));
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL) {
		g->failed = true;
		return;
	}
	fprintf(to, "%s: ", js(one, "protocol"));
	if (row != NULL)
		row_groups(to, row, p, l);
	else
		fputs(message_format(
			      protocol_info(p)->depth == DEPTH_TRANSPORT ? M_EFFECTIVE_UNREAD : M_EFFECTIVE_WHOLE, l),
		      to);
	if (fclose(to) == 0)
		legend_add(g, LEGEND_COMMAND, arrow, text);
	else
		g->failed = true;
	free(text);
}

/* Cells under several permits repeat their conduit's grants. */
static bool legend_told(const struct legend *g, size_t first, const struct legend_line *line)
{
	for (size_t i = first; i < g->n; i++)
		if (&g->lines[i] != line && g->lines[i].kind == LEGEND_COMMAND &&
		    strcmp(g->lines[i].text, line->text) == 0)
			return true;
	return false;
}

static void legend_commands(struct legend *g, size_t arrow, const json_t *grants, enum lang l)
{
	size_t first = g->n, m;

	json_each(one, grants) {
		const json_t *rows = ja(one, "rows");
		size_t before = g->n;

		if (jb(one, "whole"))
			grant(g, arrow, one, NULL, l);
		else
			for (m = 0; m < json_array_size(rows); m++)
				grant(g, arrow, one, json_array_get(rows, m), l);
		/* If the first line of this grant is listed already, the grant's lines are removed
		 * again. */
		if (before > first && before < g->n && legend_told(g, first, &g->lines[before]))
			while (g->n > before)
				free(g->lines[--g->n].text);
	}
}

/* Sorts grants and packets by conduit, so that they are found quickly. To be called before the
 * first conduit. False: no memory. */
static bool legend_index(struct legend *g, const json_t *effective)
{
	const json_t *permits = ja(effective, "permits"), *cells = ja(effective, "cells");

	g->grants = json_object();
	g->packets = json_object();
	json_each(outer, permits) {
		const json_t *list = ja(outer, "grants");

		json_each(one, list) {
			const char *name = js(one, "conduit");

			if (json_object_get(g->grants, name) == NULL)
				(void)json_object_set_new(g->grants, name, json_array());
			(void)json_array_append(json_object_get(g->grants, name), (json_t *)(uintptr_t)one);
		}
	}
	json_each(outer, cells) {
		const json_t *names = ja(outer, "conduits");

		json_each(one, names) {
			const char *name = json_string_value(one);
			json_int_t sum = name != NULL ? json_integer_value(json_object_get(g->packets, name)) : 0;

			if (name != NULL)
				(void)json_object_set_new(g->packets, name,
							  json_integer(sum + (json_int_t)ju(outer, "packets")));
		}
	}
	return g->grants != NULL && g->packets != NULL;
}

static void heading(struct legend *g, size_t arrow, const json_t *k)
{
	json_t *head = json_sprintf("%s%s%s", js(k, "name"), *js(k, "label") != '\0' ? "  " : "", js(k, "label"));

	if (head != NULL)
		legend_add(g, LEGEND_CONDUIT, arrow, json_string_value(head));
	else
		g->failed = true;
	json_decref(head);
}

/* The contents of a row of a flow_sheet. */
static void legend_flow(struct legend *g, size_t arrow, const json_t *flow, enum lang l)
{
	const json_t *carries = ja(flow, "carries");
	char text[RENDER_TEXT * 4];

	heading(g, arrow, flow);
	json_each(one, carries) {
		flow_text(text, sizeof(text), flow, one, l);
		legend_add(g, LEGEND_COMMAND, arrow, text);
	}
	if (*js(flow, "purpose") != '\0')
		legend_add(g, LEGEND_DETAIL, arrow, js(flow, "purpose"));
}

static void legend_conduit(struct legend *g, size_t arrow, const json_t *k, enum lang l)
{
	char until[RENDER_TEXT], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	render_time(js(k, "until"), until);
	if (to != NULL) {
		message_print(to, l, M_PICTURE_DETAIL, js(k, "file"), ju(k, "line"), ju(g->packets, js(k, "name")));
		if (*until != '\0')
			message_print(to, l, M_PICTURE_UNTIL, until);
		if (jb(k, "waits"))
			fputs(message_format(M_PICTURE_WAITS, l), to);
	}
	if (to != NULL && fclose(to) == 0) {
		heading(g, arrow, k);
		legend_add(g, LEGEND_DETAIL, arrow, text);
		if (js_is(k, "mode", "observe")) /* whatever its rows say */
			legend_add(g, LEGEND_COMMAND, arrow, message_format(M_FLOW_OBSERVED, l));
		legend_commands(g, arrow, json_object_get(g->grants, js(k, "name")), l);
	} else {
		g->failed = true;
	}
	free(text);
}

/* Writes text as XML text, so that names and labels cannot become markup. */
static void xml_text(FILE *to, const char *text)
{
	char *safe = text_safe(text);

	for (const char *at = safe; at != NULL && *at != '\0'; at++) {
		/* U+FFFE and U+FFFF are not allowed in XML. */
		if (strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0) {
			fputc('?', to);
			at += 2;
		} else if (*at == '&') {
			fputs("&amp;", to);
		} else if (*at == '<') {
			fputs("&lt;", to);
		} else if (*at == '>') {
			fputs("&gt;", to);
		} else if (*at == '"') {
			fputs("&quot;", to);
		} else {
			fputc(*at, to);
		}
	}
	free(safe);
}

/* In tenths of a millimetre, like the layout. */
#define SHEET_WIDTH 4080u /* A3 landscape without its margins */
#define MARGIN 60u
#define HEAD 230u
#define CELL 18u      /* width of a legend's cell; letters of most fonts are narrower */
#define NAME_CELL 24u /* width of a cell in a zone's label */
#define SMALL_CELL 17u
#define LINE 44u
#define BADGE 26u
#define COLUMNS 3u
#define COLUMN_GAP 30u
#define NETWORKS 2u /* networks that a zone's box names */
#define SHEET_HEIGHT_MM 285u

static const struct {
	const char *class;
	enum message name;
} rows[LAYOUT_ROWS] = { { "external", M_PICTURE_EXTERNAL },	{ "it", M_PICTURE_IT },
			{ "management", M_PICTURE_MANAGEMENT }, { "test", M_PICTURE_TEST },
			{ "operations", M_PICTURE_OPERATIONS }, { "ot", M_PICTURE_OT } };

struct zone {
	const char *name, *label;
	char networks[3 * RENDER_TEXT];
	unsigned row; /* index of `rows` */
};

/* From one zone to another, in one mode. A conduit inside a zone is only in the legend. */
struct way {
	size_t from, to;
	bool observe;
	unsigned heads; /* enum flow_data: the ends with arrow heads */
	size_t drawn;	/* its arrow in the layout, or SIZE_MAX */
};

struct picture {
	const json_t *effective;
	enum lang lang;
	enum flow_part part; /* the part whose data flows are drawn; 0 = a map of all rules */
	struct zone *zones;
	size_t n_zones;
	struct way *ways;
	size_t n_ways;
	struct layout layout;
	struct legend legend;
	FILE *to;
};

/* ---- contents -------------------------------------------------------------------------------- */

static size_t zone_by_name(const struct picture *p, const char *name)
{
	for (size_t i = 0; i < p->n_zones; i++)
		if (strcmp(p->zones[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

static void add_zone(struct picture *p, const json_t *z)
{
	struct zone *ret = &p->zones[p->n_zones++];
	const json_t *networks = ja(z, "networks");
	size_t n = 0, all = json_array_size(networks);

	*ret = (struct zone){ .name = js(z, "name"), .label = js(z, "label"), .row = 1 };
	for (unsigned r = 0; r < LAYOUT_ROWS; r++)
		if (js_is(z, "class", rows[r].class))
			ret->row = r;
	for (size_t i = 0; i < all && i < NETWORKS && n < sizeof(ret->networks); i++) {
		const char *one = json_string_value(json_array_get(networks, i));

		n += (size_t)snprintf(ret->networks + n, sizeof(ret->networks) - n, "%s%s", i > 0 ? ", " : "",
				      one != NULL ? one : "");
	}
	if (all > NETWORKS && n < sizeof(ret->networks))
		snprintf(ret->networks + n, sizeof(ret->networks) - n, ", +%zu", all - NETWORKS);
}

static bool find_zones(struct picture *p)
{
	const json_t *list = ja(p->effective, "zones");

	p->zones = calloc(json_array_size(list) + 1, sizeof(*p->zones));
	if (p->zones == NULL)
		return false;
	json_each(one, list)
		add_zone(p, one);
	return true;
}

/* SIZE_MAX: the conduit names a missing zone. */
static size_t way_of(struct picture *p, const json_t *k)
{
	struct way w = { .from = zone_by_name(p, js(k, "from")),
			 .to = zone_by_name(p, js(k, "to")),
			 .observe = js_is(k, "mode", "observe"),
			 .drawn = SIZE_MAX };
	size_t i = 0;

	if (w.from == SIZE_MAX || w.to == SIZE_MAX)
		return SIZE_MAX;
	while (i < p->n_ways && (p->ways[i].from != w.from || p->ways[i].to != w.to || p->ways[i].observe != w.observe))
		i++;
	if (i == p->n_ways)
		p->ways[p->n_ways++] = w;
	p->ways[i].heads |= p->part != 0 ? flow_data(k) : FLOW_THERE;
	return i;
}

static const char *shown_name(const struct zone *z)
{
	return *z->label != '\0' ? z->label : z->name;
}

/* The ways in the order of the policy's text, with their conduits in the same order. */
static bool tell_ways(struct picture *p, const json_t *conduits, const size_t *way)
{
	for (size_t w = 0; w < p->n_ways; w++) {
		char text[RENDER_TEXT * 8];

		snprintf(text, sizeof(text), "%s → %s%s%s", shown_name(&p->zones[p->ways[w].from]),
			 shown_name(&p->zones[p->ways[w].to]), p->ways[w].observe ? "   " : "",
			 p->ways[w].observe ? message_format(M_PICTURE_OBSERVED, p->lang) : "");
		legend_add(&p->legend, LEGEND_ARROW, w, text);
		for (size_t i = 0; i < json_array_size(conduits); i++)
			if (way[i] == w)
				(p->part != 0 ? legend_flow : legend_conduit)(&p->legend, w,
									      json_array_get(conduits, i), p->lang);
	}
	return !p->legend.failed;
}

static bool find_ways(struct picture *p)
{
	const json_t *list = ja(p->effective, "conduits");
	size_t n = json_array_size(list), *way = calloc(n + 1, sizeof(*way));
	bool ok;

	p->ways = calloc(n + 1, sizeof(*p->ways));
	ok = p->ways != NULL && way != NULL && legend_index(&p->legend, p->effective);
	for (size_t i = 0; i < n && ok; i++)
		way[i] = way_of(p, json_array_get(list, i));
	ok = ok && tell_ways(p, list, way);
	free(way);
	return ok;
}

static bool place_boxes(struct picture *p)
{
	struct layout *l = &p->layout;

	l->boxes = calloc(p->n_zones + 1, sizeof(*l->boxes));
	l->arrows = calloc(p->n_ways + 1, sizeof(*l->arrows));
	if (l->boxes == NULL || l->arrows == NULL)
		return false;
	for (size_t i = 0; i < p->n_zones; i++) {
		const struct zone *z = &p->zones[i];
		size_t wide = text_cells(shown_name(z)) * NAME_CELL, small = text_cells(z->networks) * SMALL_CELL,
		       name = text_cells(z->name) * SMALL_CELL;

		wide = wide > small ? wide : small;
		wide = wide > name ? wide : name;
		l->boxes[i] = (struct layout_box){ .row = z->row, .width = (unsigned)wide + 2 * 30 };
	}
	l->n_boxes = p->n_zones;
	l->width = SHEET_WIDTH;
	for (size_t i = 0; i < p->n_ways; i++)
		if (p->ways[i].from != p->ways[i].to) {
			p->ways[i].drawn = l->n_arrows;
			l->arrows[l->n_arrows++] =
				(struct layout_arrow){ .from = p->ways[i].from, .to = p->ways[i].to };
		}
	return layout_make(l);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void text_at(struct picture *p, unsigned x, unsigned y, unsigned size, const char *more, const char *text)
{
	fprintf(p->to, "<text x=\"%u\" y=\"%u\" font-size=\"%u\"%s>", x, y, size, more);
	xml_text(p->to, text);
	fputs("</text>\n", p->to);
}

/* Writes an attribute from which the pages learn places and names in the picture
 * (mgmt/ui/places.ts). */
static void put_attribute(struct picture *p, const char *key, const char *text)
{
	fprintf(p->to, " %s=\"", key);
	xml_text(p->to, text);
	fputc('"', p->to);
}

static void draw_head(struct picture *p)
{
	const json_t *site = ja(p->effective, "site"), *g = ja(p->effective, "generation");
	const char *label = *js(site, "label") != '\0' ? js(site, "label") : js(site, "name");
	char when[RENDER_TEXT], text[512], part[256];
	enum message title = p->part == 0	  ? M_PICTURE_TITLE
			     : p->part == FLOW_IT ? M_PICTURE_FLOWS_IT
			     : p->part == FLOW_OT ? M_PICTURE_FLOWS_OT
						  : M_PICTURE_FLOWS;

	render_time(js(p->effective, "time"), when);
	text_at(p, MARGIN, MARGIN + 40, 60, " font-weight=\"bold\"", message_format(title, p->lang));
	message_text(part, sizeof(part), p->lang, M_PICTURE_HOST, *label != '\0' ? label : "-",
		     js(p->effective, "host"));
	snprintf(text, sizeof(text), "%s   %s   %s", part, when,
		 message_format(json_object_get(p->effective, "as_it_was") != NULL ? M_PICTURE_AS_IT_WAS
										   : M_PICTURE_READ_BACK,
				p->lang));
	text_at(p, MARGIN, MARGIN + 100, 32, "", text);
	snprintf(part, sizeof(part), "%.12s", js(g, "digest"));
	message_text(text, sizeof(text), p->lang, M_PICTURE_GENERATION, ju(g, "number"), part);
	text_at(p, MARGIN, MARGIN + 148, 32, "", text);
}

static void draw_key(struct picture *p, unsigned right)
{
	for (int observed = 0; observed < 2; observed++) {
		unsigned y = MARGIN + 30 + (unsigned)observed * 50;

		fprintf(p->to,
			"<path d=\"M%u %uH%u\" class=\"key\" fill=\"none\" stroke=\"%s\" stroke-width=\"7\"%s "
			"marker-end=\"url(#%s)\"/>\n",
			right - 760, y, right - 560, observed ? "#8a5300" : "#1b2130",
			observed ? " stroke-dasharray=\"22 14\"" : "", observed ? "o" : "e");
		text_at(p, right - 520, y + 11, 32, "",
			message_format(observed ? M_PICTURE_OBSERVED : M_PICTURE_ENFORCED, p->lang));
	}
	text_at(p, right, MARGIN + 148, 32, " text-anchor=\"end\"",
		message_format(p->part != 0 ? M_PICTURE_HEADS : M_PICTURE_NOTHING_ELSE, p->lang));
}

static void classes(struct picture *p)
{
	const struct layout *l = &p->layout;

	for (size_t i = 0; i < p->n_zones; i++) {
		const struct layout_box *b = &l->boxes[i];
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first = first && l->boxes[k].row != b->row;
		if (!first)
			continue;
		fprintf(p->to, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"#f1eee6\"/>\n", MARGIN,
			HEAD + b->y - 20, l->width - 2 * MARGIN, b->height + 40);
		text_at(p, MARGIN + 20, HEAD + b->y + b->height / 2 + 12, 36, " fill=\"#565d6d\"",
			message_format(rows[p->zones[i].row].name, p->lang));
	}
}

static void boxes(struct picture *p)
{
	for (size_t i = 0; i < p->n_zones; i++) {
		const struct layout_box *b = &p->layout.boxes[i];
		const struct zone *z = &p->zones[i];
		unsigned x = b->x + b->width / 2, y = HEAD + b->y;

		fprintf(p->to,
			"<rect class=\"zone\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"18\" fill=\"#ffffff\" "
			"stroke=\"#1b2130\" stroke-width=\"5\"",
			b->x, y, b->width, b->height);
		put_attribute(p, "data-zone", z->name);
		fputs("/>\n", p->to);
		text_at(p, x, y + 82, 42, " font-weight=\"bold\" text-anchor=\"middle\"", shown_name(z));
		if (*z->label != '\0')
			text_at(p, x, y + 130, 30, " fill=\"#565d6d\" text-anchor=\"middle\"", z->name);
		text_at(p, x, y + 176, 30, " fill=\"#565d6d\" text-anchor=\"middle\"", z->networks);
	}
}

static void badge(struct picture *p, unsigned x, unsigned y, size_t number, bool observe)
{
	fprintf(p->to,
		"<circle cx=\"%u\" cy=\"%u\" r=\"%u\" fill=\"#ffffff\" stroke=\"%s\" stroke-width=\"4\"/><text "
		"x=\"%u\" y=\"%u\" font-size=\"%u\" font-weight=\"bold\" "
		"text-anchor=\"middle\">%zu</text>\n",
		x, y, BADGE, observe ? "#8a5300" : "#1b2130", x, y + 11, number < 99 ? 32u : 26u, number + 1);
}

static void arrows(struct picture *p)
{
	const struct layout_arrow *all = p->layout.arrows;

	for (size_t i = 0; i < p->n_ways && all != NULL; i++) {
		const struct way *w = &p->ways[i];
		const struct layout_arrow *a = w->drawn != SIZE_MAX ? &all[w->drawn] : NULL;

		if (a == NULL)
			continue;
		fprintf(p->to,
			"<path class=\"arrow\" fill=\"none\" stroke=\"%s\" stroke-width=\"6\" "
			"stroke-linejoin=\"round\"%s",
			w->observe ? "#8a5300" : "#1b2130", w->observe ? " stroke-dasharray=\"22 14\"" : "");
		if ((w->heads & FLOW_BACK) != 0)
			fprintf(p->to, " marker-start=\"url(#%s)\"", w->observe ? "o" : "e");
		if ((w->heads & FLOW_THERE) != 0)
			fprintf(p->to, " marker-end=\"url(#%s)\"", w->observe ? "o" : "e");
		fputs(" d=\"", p->to);
		for (size_t k = 0; k < a->n; k++)
			fprintf(p->to, "%c%u %u", k == 0 ? 'M' : 'L', a->at[k].x, HEAD + a->at[k].y);
		fputs("\"", p->to);
		put_attribute(p, "data-from", p->zones[w->from].name);
		put_attribute(p, "data-to", p->zones[w->to].name);
		fprintf(p->to, " data-mode=\"%s\" data-at=\"%u %u\"/>\n", w->observe ? "observe" : "enforce",
			a->badge.x, HEAD + a->badge.y);
	}
	/* Numbers are drawn over all lines. */
	for (size_t i = 0; i < p->n_ways && all != NULL; i++)
		if (p->ways[i].drawn != SIZE_MAX)
			badge(p, all[p->ways[i].drawn].badge.x, HEAD + all[p->ways[i].drawn].badge.y, i,
			      p->ways[i].observe);
}

static unsigned line_height(const struct legend_line *line)
{
	return line->kind == LEGEND_ARROW ? LINE * 2 : LINE;
}

/* A column may end before an arrow's heading or a conduit. Returns the largest height. */
static unsigned legend_lines(struct picture *p, unsigned top, unsigned width, bool draw)
{
	unsigned column = (width - 2 * MARGIN - (COLUMNS - 1) * COLUMN_GAP) / COLUMNS, all = 0, y = 0, at = 0,
		 highest = 0;

	for (size_t i = 0; i < p->legend.n; i++)
		all += line_height(&p->legend.lines[i]);
	for (size_t i = 0; i < p->legend.n; i++) {
		const struct legend_line *line = &p->legend.lines[i];
		bool begins = line->kind == LEGEND_ARROW ||
			      (line->kind == LEGEND_CONDUIT && i > 0 && p->legend.lines[i - 1].kind != LEGEND_ARROW);
		unsigned x, indent = line->kind == LEGEND_ARROW ? 70 : line->kind == LEGEND_CONDUIT ? 0 : 30;
		size_t cells = text_cells(line->text);

		if (begins && y >= all / COLUMNS && at + 1 < COLUMNS) {
			at++;
			y = 0;
		}
		y += line_height(line);
		highest = y > highest ? y : highest;
		if (!draw)
			continue;
		x = MARGIN + at * (column + COLUMN_GAP);
		if (line->kind == LEGEND_ARROW && (i == 0 || p->legend.lines[i - 1].arrow != line->arrow))
			badge(p, x + BADGE + 2, top + y - 12, line->arrow, p->ways[line->arrow].observe);
		fprintf(p->to, "<text class=\"%s\" x=\"%u\" y=\"%u\" font-size=\"%u\"%s%s",
			line->kind == LEGEND_CONDUIT ? "conduit" : "detail", x + indent, top + y,
			line->kind == LEGEND_ARROW ? 36u : 30u,
			line->kind == LEGEND_ARROW || line->kind == LEGEND_CONDUIT ? " font-weight=\"bold\"" : "",
			line->kind == LEGEND_DETAIL ? " fill=\"#565d6d\"" : "");
		/* A word longer than a line is compressed to fit. */
		if (cells > LEGEND_CELLS)
			fprintf(p->to, " textLength=\"%u\" lengthAdjust=\"spacingAndGlyphs\"", column - indent);
		fputc('>', p->to);
		xml_text(p->to, line->text);
		fputs("</text>\n", p->to);
	}
	return highest;
}

static void draw(struct picture *p)
{
	unsigned width = p->layout.width, top = HEAD + p->layout.height;
	unsigned height = top + legend_lines(p, top, width, false) + MARGIN;
	unsigned tall = (unsigned)(408ull * height / width);

	fprintf(p->to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"width=\"408mm\" height=\"%umm\" viewBox=\"0 0 %u %u\" lang=\"%s\" "
		"role=\"img\" font-family=\"'Noto Sans CJK JP', 'Noto Sans JP', 'Yu Gothic', Meiryo, sans-serif\" "
		"fill=\"#1b2130\">\n<title>",
		p->part != 0 && tall > SHEET_HEIGHT_MM ? SHEET_HEIGHT_MM : tall, width, height, lang_name(p->lang));
	xml_text(p->to, message_format(M_PICTURE_ALT, p->lang));
	fputs("</title>\n<defs>", p->to);
	for (int observed = 0; observed < 2; observed++)
		fprintf(p->to,
			"<marker id=\"%s\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" "
			"markerWidth=\"34\" markerHeight=\"34\" orient=\"auto-start-reverse\">"
			"<path d=\"M0 0L10 5L0 10z\" fill=\"%s\"/></marker>",
			observed ? "o" : "e", observed ? "#8a5300" : "#1b2130");
	fprintf(p->to, "</defs>\n<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n", width, height);
	draw_head(p);
	draw_key(p, width - MARGIN);
	classes(p);
	arrows(p);
	boxes(p);
	(void)legend_lines(p, top, width, true);
	fputs("</svg>\n", p->to);
}

/* Draws the picture that `p` describes. */
static char *drawn_picture(struct picture p)
{
	char *text = NULL;
	size_t size;

	if (ja(p.effective, "conduits") != NULL && find_zones(&p) && find_ways(&p) && place_boxes(&p) &&
	    (p.to = open_memstream(&text, &size)) != NULL) {
		draw(&p);
		if (fclose(p.to) != 0) {
			free(text);
			text = NULL;
		}
	}
	legend_free(&p.legend);
	free(p.layout.boxes);
	free(p.layout.arrows);
	free(p.ways);
	free(p.zones);
	return text;
}

char *picture_svg(const json_t *effective, enum lang l)
{
	return drawn_picture((struct picture){ .effective = effective, .lang = l });
}

char *picture_flows(const json_t *effective, enum flow_part part, enum lang l)
{
	json_t *sheet = flow_sheet(effective, part);
	char *text = drawn_picture((struct picture){ .effective = sheet, .lang = l, .part = part });

	json_decref(sheet);
	return text;
}
