/** Every event of the journal. */
export const reservationTopic = 'reservation-topic';

/** New holds alone, for those who want no more. */
export const seatReservedTopic = 'seat-reserved-topic';

export const publishedTopics = [reservationTopic, seatReservedTopic] as const;
