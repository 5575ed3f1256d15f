CREATE TABLE customers (
	id integer PRIMARY KEY,
	female integer,
	senior_citizen integer,
	partner integer,
	dependents integer,
	tenure integer,
	phone_service integer,
	multiple_lines text,
	internet_service text,
	online_security text,
	online_backup text,
	device_protection text,
	tech_support text,
	streaming_tv text,
	streaming_movies text,
	contract text,
	paperless_billing integer,
	payment_method text,
	monthly_charges double precision,
	total_charges double precision,
	churn text
);
\copy customers FROM 'customers.csv' WITH (FORMAT csv, HEADER)
ANALYZE customers;
