"""Jobs on Celery, over Redis or RabbitMQ."""
