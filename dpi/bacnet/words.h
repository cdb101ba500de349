/* SPDX-License-Identifier: Apache-2.0 */
/* The codes of BACnet, as rows name them, and the targets of a request. The code of a confirmed
 * service is its choice. All other messages have higher codes. */
#ifndef SEKISHO_DPI_BACNET_WORDS_H
#define SEKISHO_DPI_BACNET_WORDS_H

enum bacnet_space { BACNET_OBJECTS, BACNET_SPACES };

/* Object identifiers (ANSI/ASHRAE 135, clause 20.2.14): type, then instance. */
#define BACNET_INSTANCE_BITS 22u
#define BACNET_INSTANCES (1u << BACNET_INSTANCE_BITS)

/* The targets, in the order of the vocabulary. */
enum bacnet_target { BACNET_ROUTE, BACNET_WAY, BACNET_PROPERTY, BACNET_PRIORITY };

/* A route: network, then station; 0: the device that has the address. */
#define BACNET_STATION_BITS 9u
#define BACNET_ROUTE_OF(network, station) ((uint32_t)(network) << BACNET_STATION_BITS | (station))
#define BACNET_STATION_ALL 256u	 /* the whole network */
#define BACNET_STATION_LONG 257u /* an address of several bytes */

/* A way: the function of the link that carries a message. BACNET_RELAYED is added if the message is
 * from another network. */
#define BACNET_RELAYED 100u

/* A property, and the index in its array. */
#define BACNET_INDEX_BITS 9u
#define BACNET_INDEX_BEYOND 510u /* this one or a higher one */
#define BACNET_INDEX_NONE 511u	 /* the whole property */
#define BACNET_PROPERTY_OF(property, index) ((uint32_t)(property) << BACNET_INDEX_BITS | (index))
#define BACNET_PROPERTY_NONE UINT32_MAX /* no property, or an unknown one */
#define BACNET_PRESENT_VALUE 85u

#define BACNET_PRIORITY_LOWEST 16u /* also of a write without a priority (clause 19.2) */
#define BACNET_PRIORITY_NONE 255u  /* the operation is no write */

/* Services (clause 21) that have a layout or a meaning of their own. */
enum bacnet_service {
	BACNET_CONFIRMED_COV = 1,
	BACNET_CONFIRMED_EVENT = 2,
	BACNET_SUBSCRIBE_COV = 5,
	BACNET_CREATE_OBJECT = 10,
	BACNET_READ_PROPERTY = 12,
	BACNET_READ_MULTIPLE = 14,
	BACNET_WRITE_PROPERTY = 15,
	BACNET_WRITE_MULTIPLE = 16,
	BACNET_REINITIALIZE = 20,
	BACNET_SUBSCRIBE_COV_PROPERTY = 28,
	BACNET_SUBSCRIBE_COV_MULTIPLE = 30,
	BACNET_CONFIRMED_COV_MULTIPLE = 31,
};

#define BACNET_UNCONFIRMED(choice) (1000u + (choice))
#define BACNET_NETWORK(type) (2000u + (type))	   /* a message of the network layer */
#define BACNET_LINK(function) (3000u + (function)) /* a function of the link */
/* added to the code of a service that writes another property than the present value */
#define BACNET_OTHER 4000u
#define BACNET_RELINQUISH 4100u		   /* ... that writes NULL to the present value */
#define BACNET_APDU(type) (5000u + (type)) /* an answer or an acknowledgement */

#endif
