/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out what others changed in the rules, and mends it. */
#ifndef SEKISHO_ENFORCE_DRIFT_H
#define SEKISHO_ENFORCE_DRIFT_H

struct enforce;

void drift_settle(struct enforce *f);	/* handles the reported changes */
void drift_links(struct enforce *f);	/* an interface appeared or disappeared */
void drift_settings(struct enforce *f); /* to be called twice a second */
/* Compares everything although no change was reported. If f->timing.clock_due is set, the reason is
 * that the clock was set. */
void drift_look(struct enforce *f);

#endif
