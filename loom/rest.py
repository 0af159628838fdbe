"""The public face of REST: interfaces, routes, generated use cases, jobs, and the applications that serve them."""

from loom.application.jobs.declare import Delivery, Job
from loom.application.jobs.service import JobHandle, JobService
from loom.application.rest.auto import AutoCrud, auto_crud
from loom.application.rest.declare import Idempotency, PaginationMode, RestInterface, RestRoute
from loom.application.rest.profiles import Profile
from loom.config.rest_app import app_of, create_app, mount
from loom.config.serving import serve
from loom.ports.jobs import JobState, JobStatus
from loom.ports.security import Authenticator, Authorizer, SecurityScheme

__all__ = [
    "Authenticator",
    "Authorizer",
    "AutoCrud",
    "Delivery",
    "Idempotency",
    "Job",
    "JobHandle",
    "JobService",
    "JobState",
    "JobStatus",
    "PaginationMode",
    "Profile",
    "RestInterface",
    "RestRoute",
    "SecurityScheme",
    "app_of",
    "auto_crud",
    "create_app",
    "mount",
    "serve",
]
