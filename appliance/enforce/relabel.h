/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that now belong to another permit. */
#ifndef SEKISHO_ENFORCE_RELABEL_H
#define SEKISHO_ENFORCE_RELABEL_H

struct enforce;
struct generation_held;

/* Gives a session whose packets are now in a cell of another live permit that permit's label.
 * `old`: the generation in force before; NULL = not known. What cannot be done now is left to the
 * next call (f->timing.relabel_due). */
void enforce_relabel(struct enforce *f, const struct generation_held *old);

#endif
