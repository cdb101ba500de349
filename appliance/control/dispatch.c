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

static bool on_answer(void *ctx, struct msg *m)
{
	work_told(ctx, m->id, false);
	return collect_answer(ctx, m);
}

static bool on_role_status(void *ctx, struct msg *m)
{
	collect_status(ctx, m);
	return true;
}

static bool on_progress(void *ctx, struct msg *m)
{
	struct control *s = ctx;
	struct asker a = collect_heard(s, m->id);

	if (a.kind == ASKER_CHANGE)
		a = change_asker(s, &a);
	if (a.kind != ASKER_NONE)
		progress_to(s, &a, &m->body.progress);
	return true;
}

void work_undone(struct control *s, uint32_t id)
{
	collect_unasked(s, id);
	backup_unsealed(s, id);
}

static bool on_gone(void *ctx, struct msg *m)
{
	struct control *s = ctx;

	if (m->body.gone.slot == SLOT_ERRAND) {
		work_told(s, m->id, true);
	} else if (m->id == 0) {
		collect_gone(s, m->body.gone.slot);
		impact_gone(s, m->body.gone.slot);
	} else {
		collect_unasked(s, m->id);
		impact_unasked(s, m->id);
	}
	return true;
}

static bool on_standing(void *ctx, struct msg *m)
{
	return told_standing(ctx, m);
}

static bool on_unanswered(void *ctx, struct msg *m)
{
	unanswered_told(ctx, &m->body.unanswered);
	return true;
}

static bool on_heard(void *ctx, struct msg *m)
{
	heard_told(ctx);
	return true;
}

static bool on_away(void *ctx, struct msg *m)
{
	away_told(ctx, &m->body.away);
	return true;
}

static bool on_past(void *ctx, struct msg *m)
{
	return told_past(ctx, m);
}

static bool on_generation(void *ctx, struct msg *m)
{
	return told_generation(ctx, m);
}

static bool on_meant(void *ctx, struct msg *m)
{
	impact_meant(ctx, m);
	return true;
}

static bool on_told(void *ctx, struct msg *m)
{
	impact_told(ctx, m);
	return true;
}

static bool on_weigh(void *ctx, struct msg *m)
{
	impact_weigh(ctx, m);
	return true;
}

static bool on_foretold(void *ctx, struct msg *m)
{
	impact_foretold(ctx, m);
	return true;
}

/* A new process of the web side. The channel of its predecessor has ended, or ends now. */
static bool on_web(void *ctx, struct msg *m)
{
	struct control *s = ctx;

	if (s->web_next >= 0)
		close(s->web_next);
	s->web_next = msg_take_fd(m, 0);
	return true;
}

static bool on_hand(void *ctx, struct msg *m)
{
	people_handed(ctx, m);
	return true;
}

static bool on_ground(void *ctx, struct msg *m)
{
	change_ground(ctx, m);
	return true;
}

static bool on_sealed(void *ctx, struct msg *m)
{
	work_told(ctx, m->id, false);
	backup_sealed(ctx, m);
	return true;
}

static msg_handler *const of_the_box[MSG_TYPE_COUNT] = {
	[MSG_ANSWER] = on_answer,
	[MSG_DPI_STATUS] = on_role_status,
	[MSG_GATE_STATUS] = on_role_status,
	[MSG_TAP_STATUS] = on_role_status,
	[MSG_JOURNAL_STATUS] = on_role_status,
	[MSG_ACCOUNTS_STATUS] = on_role_status,
	[MSG_PROGRESS] = on_progress,
	[MSG_GONE] = on_gone,
	[MSG_STANDING] = on_standing,
	[MSG_PAST] = on_past,
	[MSG_UNANSWERED] = on_unanswered,
	[MSG_HEARD] = on_heard,
	[MSG_AWAY] = on_away,
	[MSG_MEANT] = on_meant,
	[MSG_TOLD] = on_told,
	[MSG_WEIGH] = on_weigh,
	[MSG_FORETOLD] = on_foretold,
	[MSG_GENERATION] = on_generation,
	[MSG_WEB] = on_web,
	[MSG_HAND] = on_hand,
	[MSG_GROUND] = on_ground,
	[MSG_SEALED] = on_sealed,
};

bool box_said(struct control *s, struct msg *m)
{
	return msg_dispatch(of_the_box, s, m);
}
