/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the supervisor, and of roles through it. message.def decides who may send what before
 * a handler is called.
 */
#include <unistd.h>

#include "appliance/control/answers.h"
#include "appliance/control/backup.h"
#include "appliance/control/change.h"
#include "appliance/control/control.h"
#include "appliance/control/dispatch.h"
#include "appliance/control/errands.h"
#include "appliance/control/impact.h"
#include "appliance/control/people.h"
#include "appliance/control/told.h"
#include "appliance/control/uninspected.h"
#include "appliance/control/watch.h"

static bool on_answer(struct control *s, struct msg *m)
{
	work_told(s, m->id, false);
	return collect_answer(s, m);
}

static void on_progress(struct control *s, struct msg *m)
{
	struct asker a = collect_heard(s, m->id);

	if (a.kind == ASKER_CHANGE)
		a = change_asker(s, &a);
	if (a.kind != ASKER_NONE)
		progress_to(s, &a, &m->body.progress);
}

void work_undone(struct control *s, uint32_t id)
{
	collect_unasked(s, id);
	backup_unsealed(s, id);
}

static void on_gone(struct control *s, struct msg *m)
{
	if (m->body.gone.slot == SLOT_ERRAND) {
		work_told(s, m->id, true);
	} else if (m->id == 0) {
		collect_gone(s, m->body.gone.slot);
		impact_gone(s, m->body.gone.slot);
	} else {
		collect_unasked(s, m->id);
		impact_unasked(s, m->id);
	}
}

/* A new process of the web side. The channel of its predecessor has ended, or ends now. */
static void on_web(struct control *s, struct msg *m)
{
	if (s->web_next >= 0)
		close(s->web_next);
	s->web_next = msg_take_fd(m, 0);
}

static void on_sealed(struct control *s, struct msg *m)
{
	work_told(s, m->id, false);
	backup_sealed(s, m);
}

/* The handler of each message: `takes`, or `judges`, which returns false when the message is not
 * allowed at this moment. */
static const struct row {
	void (*takes)(struct control *s, struct msg *m);
	bool (*judges)(struct control *s, struct msg *m);
} rows[MSG_TYPE_COUNT] = {
	[MSG_ANSWER] = { .judges = on_answer },
	[MSG_DPI_STATUS] = { collect_status },
	[MSG_GATE_STATUS] = { collect_status },
	[MSG_TAP_STATUS] = { collect_status },
	[MSG_JOURNAL_STATUS] = { collect_status },
	[MSG_ACCOUNTS_STATUS] = { collect_status },
	[MSG_PROGRESS] = { on_progress },
	[MSG_GONE] = { on_gone },
	[MSG_STANDING] = { .judges = told_standing },
	[MSG_PAST] = { .judges = told_past },
	[MSG_UNANSWERED] = { unanswered_told },
	[MSG_HEARD] = { heard_told },
	[MSG_AWAY] = { away_told },
	[MSG_MEANT] = { impact_meant },
	[MSG_TOLD] = { impact_told },
	[MSG_WEIGH] = { impact_weigh },
	[MSG_FORETOLD] = { impact_foretold },
	[MSG_GENERATION] = { .judges = told_generation },
	[MSG_WEB] = { on_web },
	[MSG_HAND] = { people_handed },
	[MSG_GROUND] = { change_ground },
	[MSG_SEALED] = { on_sealed },
};

bool box_said(struct control *s, struct msg *m)
{
	const struct row *r = &rows[m->body.type];
	bool ok = r->takes != NULL || (r->judges != NULL && r->judges(s, m));

	if (r->takes != NULL)
		r->takes(s, m);
	msg_close_fds(m);
	return ok;
}
