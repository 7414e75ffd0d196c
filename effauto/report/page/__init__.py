"""A plan, or a study, as one page of HTML that needs neither a network nor effauto."""
