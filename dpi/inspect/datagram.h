/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and ICMP have no stream, so each datagram is inspected alone until the protocol of the flow
 * is known. To cut such a flow, its datagrams are dropped. */
#ifndef SEKISHO_DPI_INSPECT_DATAGRAM_H
#define SEKISHO_DPI_INSPECT_DATAGRAM_H

#include "dpi/inspect/crossing.h"

MUST_SEND struct verdict datagram_judge(struct crossing *x);

#endif
