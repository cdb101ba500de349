/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learning from frames, whether a file or a mirror port brings them: the replay of a capture
 * (mgmt/cli/replay/run.h) under two policies of its own that allow everything, one for the
 * protocols of which every command is judged and one for those that are only named. What they found
 * goes to `learnt` after so many sessions, and they begin anew, so that memory is bounded however
 * long it lasts. The same frames give the same result. One study at a time in a program.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_STUDY_H
#define SEKISHO_MGMT_CLI_LEARN_STUDY_H

#include "appliance/base/err.h"
#include "mgmt/cli/learn/learnt.h"
#include "mgmt/cli/replay/capture.h"

struct study;

struct study *study_new(struct err *e); /* NULL with *e filled; owned by the caller */
void study_free(struct study *s);	/* accepts NULL */
void study_frame(struct study *s, const struct capture_frame *f);
/* So far; valid until the next call. What stands in `learnt` besides is of sessions that
 * went before. */
const struct tally *study_tally(const struct study *s);
uint32_t study_sessions(const struct study *s); /* being followed now */
/* There will be no more frames: everything, settled, borrowed from the study. */
struct learnt *study_finish(struct study *s);

#endif
