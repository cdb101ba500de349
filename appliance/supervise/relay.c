/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process carries for others without reading it: questions of control to other processes
 * and their answers, and what enforce keeps on the disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/memfd.h"
#include "appliance/kernel/isolation_pairs.h"
#include "appliance/store/listed.h"
#include "appliance/store/moment.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/slot.h"

static void say_gone(struct supervisor *s, uint32_t id, unsigned slot)
{
	const struct msg_body gone = { MSG_GONE, .gone = { .slot = (uint8_t)slot } };

	(void)role_send(s, &s->slots[SLOT_CONTROL], id, &gone, NULL, 0);
}

void relay_undone(struct supervisor *s, uint32_t id)
{
	say_gone(s, id, relayed_slot(id) < SLOTS ? relayed_slot(id) : 0);
}

bool relay_out(struct supervisor *s, struct msg *m)
{
	unsigned slot = relayed_slot(m->id);
	struct slot *sl = slot < SLOTS ? &s->slots[slot] : NULL;

	if ((m->id & RELAYED) == 0 || sl == NULL || slot == SLOT_CONTROL ||
	    !msg_may_say(m->body.type, ROLE_SUPERVISOR, sl->role))
		return false;
	/* While a role works on a question it is not asked for a sign of life (watch.c). These two
	 * it answers at once. */
	if (!role_send(s, sl, m->id, &m->body, m->fds, m->n_fds))
		say_gone(s, m->id, slot);
	else if (m->body.type != MSG_STATUS && m->body.type != MSG_STOP)
		sl->works++;
	return true;
}

bool relay_back(struct supervisor *s, struct slot *sl, struct msg *m)
{
	if ((m->id & RELAYED) == 0)
		return false;
	if (relayed_slot(m->id) != (unsigned)(sl - s->slots))
		return true; /* nobody asked this role: the message is ignored */
	if (m->body.type == MSG_ANSWER && sl->works > 0)
		sl->works--;
	if (m->body.type != MSG_PROGRESS)
		(void)role_send(s, &s->slots[SLOT_CONTROL], m->id, &m->body, m->fds, m->n_fds);
	else if (slot_alive(&s->slots[SLOT_CONTROL]))
		(void)msg_try(s->slots[SLOT_CONTROL].chan, m->id, &m->body);
	return true;
}

void relay_gone(struct supervisor *s, struct slot *sl)
{
	sl->works = 0;
	say_gone(s, 0, (unsigned)(sl - s->slots));
}

/* ---- what enforce keeps on the disk ---------------------------------------------------------- */

static const struct {
	const char *file;
	enum msg_type type;
	size_t most;	/* bytes */
	uint64_t every; /* ns between two writes */
	bool noted;	/* written at once, and to the run folder as well */
	/* only for a list with a digest (store/listed.h), which is written at once: the most
	 * entries, and, if the file cannot be read, the message and what enforce gets instead.
	 * Enforce itself checks papers without a digest */
	size_t listed;
	enum message damaged;
	const char *instead;
} papers[PAPERS] = {
	[PAPER_USED] = { .file = "used", .type = MSG_USED, .most = USED_BYTES, .every = 600 * SECOND },
	[PAPER_DOORS] = { "doors", MSG_DOORS, 1u << 20, 5 * SECOND, false, DOORS_KEPT, M_DOOR_DAMAGED, "[]" },
	[PAPER_ISOLATIONS] = { "isolations", MSG_ISOLATIONS, 16u << 20, 5 * SECOND, false, ISOLATIONS_MOST,
			       M_ISOLATE_DAMAGED, "null" },
	[PAPER_CLOCK] = { .file = "clock", .type = MSG_CLOCK, .most = MOMENT_TEXT, .every = 5 * SECOND, .noted = true },
};

static void save_paper(struct supervisor *s, enum paper which)
{
	struct paper_kept *p = &s->reported.papers[which];
	struct err e;

	if (papers[which].noted && atomic_write(s->ground.run_fd, papers[which].file, p->bytes, p->n, &e) < 0)
		/* an older moment must not count */
		unlinkat(s->ground.run_fd, papers[which].file, 0);
	p->unsaved = papers[which].listed != 0
			     ? !listed_write(s->ground.state_fd, papers[which].file, (const char *)p->bytes, p->n)
			     : atomic_write(s->ground.state_fd, papers[which].file, p->bytes, p->n, &e) < 0;
	p->save_at = mono_ns() + papers[which].every;
}

static void take_paper(struct paper_kept *p, char *text)
{
	free(p->bytes);
	p->bytes = (uint8_t *)text;
	p->n = text != NULL ? strlen(text) : 0;
}

void paper_open(struct supervisor *s, enum paper which)
{
	struct paper_kept *p = &s->reported.papers[which];
	struct err e;
	json_t *list;
	int r;

	if (papers[which].noted && moment_noted(s->ground.run_fd, s->ground.state_fd, s->ground.boot)) {
		p->unsaved =
			file_read(s->ground.run_fd, papers[which].file, papers[which].most, &p->bytes, &p->n, &e) == 0;
		if (p->unsaved)
			return;
	}
	if (papers[which].listed == 0) {
		r = file_read(s->ground.state_fd, papers[which].file, papers[which].most, &p->bytes, &p->n, &e);
		/* Enforce has to know of a record that cannot be read. */
		if (r < 0)
			take_paper(p, papers[which].noted && r != -ENOENT ? strdup("") : NULL);
		return;
	}
	list = listed_read(s->ground.state_fd, papers[which].file, papers[which].listed);
	if (list == NULL)
		supervisor_say(s, papers[which].damaged);
	take_paper(p, list != NULL ? json_dumps(list, JSON_COMPACT) : strdup(papers[which].instead));
	json_decref(list);
}

int paper_memfd(const struct reported *reported, enum paper which)
{
	const struct paper_kept *p = &reported->papers[which];

	return p->bytes != NULL ? memfd_sealed("sekisho-paper", p->bytes, p->n) : -1;
}

void paper_give(struct supervisor *s, enum paper which, uint32_t id)
{
	struct msg_body m = { .type = papers[which].type };
	int fd = paper_memfd(&s->reported, which);

	if (which == PAPER_CLOCK)
		m.clock = s->reported.clock;
	if (fd >= 0 || which == PAPER_CLOCK)
		(void)role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
}

bool paper_told(struct supervisor *s, enum paper which, struct msg *m)
{
	struct paper_kept *p = &s->reported.papers[which];
	uint8_t *bytes = NULL;
	struct err e;
	size_t n = 0;

	p->missed = memfd_read(m->fds[0], papers[which].most, &bytes, &n, &e) < 0;
	if (p->missed)
		return false;
	free(p->bytes);
	p->bytes = bytes;
	p->n = n;
	p->unsaved = true;
	s->relay.told = false; /* control gets the lists with the state */
	if (which == PAPER_USED && m->body.used.at_once != 0)
		p->save_at = 0;
	if (papers[which].listed != 0 || papers[which].noted)
		save_paper(s, which);
	return true;
}

bool paper_add(struct supervisor *s, enum paper which, json_t *one)
{
	struct paper_kept *p = &s->reported.papers[which];
	json_t *list = p->bytes != NULL ? json_loadb((const char *)p->bytes, p->n, 0, NULL) : NULL;
	bool room = json_array_size(list) < papers[which].listed && json_array_append(list, one) == 0;
	char *text = room ? json_dumps(list, JSON_COMPACT) : NULL;

	json_decref(one);
	json_decref(list);
	if (text == NULL)
		return false;
	take_paper(p, text);
	s->relay.told = false;
	save_paper(s, which);
	return true;
}

void papers_give(struct supervisor *s)
{
	for (unsigned i = 0; i < PAPERS; i++)
		paper_give(s, (enum paper)i, 0);
}

uint64_t papers_due(struct supervisor *s, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < PAPERS; i++) {
		if (s->reported.papers[i].unsaved && now >= s->reported.papers[i].save_at)
			save_paper(s, (enum paper)i);
		if (s->reported.papers[i].unsaved && s->reported.papers[i].save_at < next)
			next = s->reported.papers[i].save_at;
	}
	return next;
}
