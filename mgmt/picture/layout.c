/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/picture/picture.h"

#include <limits.h>
#include <stdlib.h>

#define MARGIN 60u
#define BAND 180u /* width of the band on the left, with the class of the row */
#define BOX_HEIGHT 220u
#define BOX_GAP 120u	  /* least gap between boxes of a row */
#define LANE 60u	  /* distance of arrows in the right margin */
#define TRACK 70u	  /* height of a track: more than a number's badge */
#define CHANNEL_LEAST 60u /* height of a channel without arrows */

/* Distance of arrows at one side of a box; the two rows beside a channel use alternate places. The
 * largest that the width allows is used, so that texts beside arrows do not overlap. */
static const unsigned spacings[] = { 480, 240, 120, 60 };
#define SPACINGS (sizeof(spacings) / sizeof(spacings[0]))

enum side { TOP, BOTTOM };

/* A part of an arrow through one channel; the first begins at its source, the last ends at its
 * destination. */
struct piece {
	size_t channel;
	unsigned track;
};

struct work {
	struct layout *l;
	unsigned least, place; /* least: the given width; place: index into `spacings` */
	unsigned *text;	       /* by box: the width of its text */
	/* by side and box: number of arrows that touch the box at this side */
	unsigned *ports[2];
	unsigned *next[2]; /* number of arrows that have a place */
	struct piece (*pieces)[2];
	unsigned tracks[LAYOUT_ROWS], margins;
	unsigned *margin; /* by arrow: its place in the right margin, from 0 */
};

static enum side leaves_by(const struct layout *l, const struct layout_arrow *a)
{
	return l->boxes[a->to].row >= l->boxes[a->from].row ? BOTTOM : TOP;
}

static enum side arrives_by(const struct layout *l, const struct layout_arrow *a)
{
	return l->boxes[a->to].row > l->boxes[a->from].row ? TOP : BOTTOM;
}

/* The channel below a row has the row's number. A row without zones has no height, but still a
 * channel. */
static size_t channel_of(unsigned row, enum side side)
{
	return side == BOTTOM ? row : row - 1u;
}

/* Removes empty rows. */
static void close_up(struct layout *l)
{
	bool used[LAYOUT_ROWS] = { false };
	unsigned rank[LAYOUT_ROWS] = { 0 }, n = 0;

	for (size_t i = 0; i < l->n_boxes; i++)
		used[l->boxes[i].row] = true;
	for (unsigned r = 0; r < LAYOUT_ROWS; r++)
		rank[r] = used[r] ? n++ : 0;
	for (size_t i = 0; i < l->n_boxes; i++)
		l->boxes[i].row = rank[l->boxes[i].row];
}

static void take_tracks(struct work *w)
{
	struct layout *l = w->l;

	for (size_t i = 0; i < l->n_arrows; i++) {
		const struct layout_arrow *a = &l->arrows[i];
		enum side out = leaves_by(l, a), in = arrives_by(l, a);
		size_t first = channel_of(l->boxes[a->from].row, out), last = channel_of(l->boxes[a->to].row, in);

		w->ports[out][a->from]++;
		w->ports[in][a->to]++;
		w->pieces[i][0] = (struct piece){ first, w->tracks[first]++ };
		w->pieces[i][1] = w->pieces[i][0];
		if (first != last) {
			w->pieces[i][1] = (struct piece){ last, w->tracks[last]++ };
			w->margin[i] = w->margins++;
		}
	}
}

static void place_boxes(struct work *w)
{
	struct layout *l = w->l;
	unsigned x[LAYOUT_ROWS], y = MARGIN, rows = 0, widest = 0, place = w->place, first = UINT_MAX, last = 0;

	for (unsigned r = 0; r < LAYOUT_ROWS; r++)
		x[r] = MARGIN + BAND;
	for (size_t i = 0; i < l->n_boxes; i++) {
		struct layout_box *b = &l->boxes[i];
		unsigned most = w->ports[TOP][i] > w->ports[BOTTOM][i] ? w->ports[TOP][i] : w->ports[BOTTOM][i];

		/* The width is a whole number of places. Before the first box of a row there is an
		 * even number of places, so that each row keeps to its own places. */
		b->width = w->text[i] > (most + 1) * place ? w->text[i] : (most + 1) * place;
		b->width = (b->width + place - 1) / place * place;
		b->x = x[b->row];
		b->height = BOX_HEIGHT;
		x[b->row] += b->width + (BOX_GAP > place ? BOX_GAP : place);
		rows = b->row + 1 > rows ? b->row + 1 : rows;
		widest = x[b->row] > widest ? x[b->row] : widest;
	}
	l->width = widest + w->margins * LANE + MARGIN;
	if (l->width < w->least) {
		widest += w->least - l->width;
		l->width = w->least;
	}
	/* Centres each row as far as the places allow, then all rows together. */
	for (size_t i = 0; i < l->n_boxes; i++) {
		struct layout_box *b = &l->boxes[i];

		b->x += (widest - x[b->row]) / 2 / place * place;
		first = b->x < first ? b->x : first;
		last = b->x + b->width > last ? b->x + b->width : last;
	}
	for (size_t i = 0; i < l->n_boxes; i++)
		l->boxes[i].x = l->boxes[i].x - first + (MARGIN + BAND + widest - (last - first)) / 2;
	for (unsigned r = 0; r < LAYOUT_ROWS; r++) {
		l->row_y[r] = y;
		l->row_height[r] = r < rows ? BOX_HEIGHT : 0;
		if (r < rows)
			y += BOX_HEIGHT + CHANNEL_LEAST + w->tracks[r] * TRACK;
	}
	for (size_t i = 0; i < l->n_boxes; i++)
		l->boxes[i].y = l->row_y[l->boxes[i].row];
	l->height = y + MARGIN;
}

static unsigned track_y(const struct layout *l, const struct piece *p)
{
	return l->row_y[p->channel] + BOX_HEIGHT + CHANNEL_LEAST / 2 + TRACK / 2 + p->track * TRACK;
}

/* The next free place at a side. Rows on both sides of a channel are half a place apart, so that no
 * two vertical lines meet. */
static struct layout_point port(struct work *w, size_t box, enum side side)
{
	const struct layout_box *b = &w->l->boxes[box];
	unsigned n = w->ports[side][box], k = w->next[side][box]++, place = w->place;
	unsigned first = (b->width - n * place) / 2 / place * place + (b->row % 2) * (place / 2);

	return (struct layout_point){ b->x + first + place / 4 + k * place, side == TOP ? b->y : b->y + b->height };
}

static void bend(struct layout_arrow *a, unsigned x, unsigned y)
{
	a->at[a->n++] = (struct layout_point){ x, y };
}

static void place_arrow(struct work *w, size_t i)
{
	struct layout *l = w->l;
	struct layout_arrow *a = &l->arrows[i];
	struct layout_point from = port(w, a->from, leaves_by(l, a)), to = port(w, a->to, arrives_by(l, a));
	unsigned y0 = track_y(l, &w->pieces[i][0]), y1 = track_y(l, &w->pieces[i][1]), end = to.x;

	a->n = 0;
	bend(a, from.x, from.y);
	bend(a, from.x, y0);
	if (y0 != y1) {
		end = l->width - MARGIN - w->margins * LANE + w->margin[i] * LANE;
		bend(a, end, y0);
		bend(a, end, y1);
	}
	bend(a, to.x, y1);
	bend(a, to.x, to.y);
	/* In the middle of the first track, where only crossing lines are. */
	a->badge = (struct layout_point){ (from.x + end) / 2, y0 };
}

bool layout_make(struct layout *l)
{
	size_t boxes = l->n_boxes + 1, arrows = l->n_arrows + 1;
	struct work w = { .l = l,
			  .least = l->width,
			  .text = calloc(boxes, sizeof(unsigned)),
			  .ports = { calloc(boxes, sizeof(unsigned)), calloc(boxes, sizeof(unsigned)) },
			  .next = { calloc(boxes, sizeof(unsigned)), calloc(boxes, sizeof(unsigned)) },
			  .pieces = calloc(arrows, sizeof(*w.pieces)),
			  .margin = calloc(arrows, sizeof(unsigned)) };
	bool ok = w.text != NULL && w.ports[0] != NULL && w.ports[1] != NULL && w.next[0] != NULL &&
		  w.next[1] != NULL && w.pieces != NULL && w.margin != NULL;

	if (ok) {
		close_up(l);
		take_tracks(&w);
		for (size_t i = 0; i < l->n_boxes; i++)
			w.text[i] = l->boxes[i].width;
		for (size_t i = 0; i < SPACINGS && (i == 0 || l->width > w.least); i++) {
			w.place = spacings[i];
			place_boxes(&w);
		}
		for (size_t i = 0; i < l->n_arrows; i++)
			place_arrow(&w, i);
	}
	for (int s = 0; s < 2; s++) {
		free(w.ports[s]);
		free(w.next[s]);
	}
	free(w.text);
	free(w.pieces);
	free(w.margin);
	return ok;
}
